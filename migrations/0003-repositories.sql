-- Everything keys on repository ids; paths live only in `repositories` and `repository_aliases`, so a rename is O(1).
-- The two tables that grow with the number of references (10^9 and more) are hash-partitioned by repository: every query
-- carries repository_id, so one partition is touched.

create table repositories (
  id bigint generated always as identity primary key,
  project_id bigint not null references projects,
  path text collate "C" not null unique,
  -- Rises with every delete in the repository; see principals.epoch.
  epoch bigint not null default 1,
  created_at timestamptz not null default now()
);
create index repositories_by_project on repositories (project_id, path);

-- Former paths: resolve for reads, refused for writes, reserved until released.
create table repository_aliases (
  path text collate "C" primary key,
  repository_id bigint not null references repositories on delete cascade,
  created_at timestamptz not null default now()
);

-- An upload is an object that is being written, and the one place that names its key.
create table uploads (
  id uuid primary key,
  repository_id bigint not null references repositories on delete cascade,
  principal_id bigint references principals on delete set null,
  store text not null,
  key text not null unique,
  -- What the store remembers of the unfinished object; see ObjectWriter.suspend.
  state jsonb,
  size bigint not null default 0,
  -- Digest of the first `size` bytes, when it is known without reading them back.
  sha256 bytea,
  sha512 bytea,
  -- The algorithm that the client announced.
  algorithm text not null default 'sha256' check (algorithm in ('sha256', 'sha512')),
  -- The request that writes to it now, and in which process. Appends are serialised by this claim, renewed while bytes come.
  writer uuid,
  writer_worker uuid,
  writer_seen timestamptz,
  created_at timestamptz not null default now(),
  touched_at timestamptz not null default now()
);
create index uploads_idle on uploads (touched_at);
create index uploads_by_repository on uploads (repository_id);

-- Possession of a digest is no right: a blob is in a repository only through a row here.
-- `remote`: known by digest, bytes still at the upstream (proxy projects).
create table repository_blobs (
  repository_id bigint not null references repositories,
  blob_id bigint not null references blobs,
  state text not null default 'present' check (state in ('present', 'remote')),
  -- Until then no clean-up touches the link: the promise behind a 2xx to someone who may push.
  leased_until timestamptz not null default now() + interval '48 hours',
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (repository_id, blob_id)
) partition by hash (repository_id);
create index repository_blobs_by_blob on repository_blobs (blob_id);

create table manifests (
  id bigint generated always as identity primary key,
  repository_id bigint not null references repositories,
  -- As it was pushed: algorithm byte, then hash.
  digest bytea not null,
  media_type text not null,
  kind text not null check (kind in ('image', 'index', 'chart', 'file', 'other')),
  artifact_type text,
  size int not null,
  config_digest bytea,
  subject_digest bytea,
  -- Of manifests with a subject only: what the referrers list repeats. json, not jsonb: U+0000 is legal in them.
  annotations json,
  leased_until timestamptz not null default now() + interval '48 hours',
  pushed_by bigint references principals on delete set null,
  created_at timestamptz not null default now(),
  deleted_at timestamptz,
  unique (repository_id, digest)
);
create index manifests_by_subject on manifests (repository_id, subject_digest, id) where subject_digest is not null;

-- The bytes, apart, so that looking a digest up never drags 4 MiB along.
create table manifest_payloads (
  manifest_id bigint primary key references manifests on delete cascade,
  payload bytea not null
);
-- Faster than the default where the server was built with it; the embedded one is not.
do $$
begin
  alter table manifest_payloads alter column payload set compression lz4;
exception when feature_not_supported then
  null;
end
$$;

-- P5 is this foreign key: a link cannot go while a manifest needs it.
create table manifest_blobs (
  repository_id bigint not null,
  blob_id bigint not null,
  manifest_id bigint not null references manifests on delete cascade,
  primary key (repository_id, blob_id, manifest_id),
  foreign key (repository_id, blob_id) references repository_blobs on delete restrict
) partition by hash (repository_id);
create index manifest_blobs_by_manifest on manifest_blobs (manifest_id);

-- Children by digest: protected also when they are pushed after their parent.
create table manifest_children (
  repository_id bigint not null,
  child_digest bytea not null,
  manifest_id bigint not null references manifests on delete cascade,
  primary key (repository_id, child_digest, manifest_id)
);
create index manifest_children_by_manifest on manifest_children (manifest_id);

-- Blobs that a sparse manifest named and that are not here; a later push of one turns the row into a manifest_blobs row.
create table manifest_missing_blobs (
  repository_id bigint not null,
  digest bytea not null,
  manifest_id bigint not null references manifests on delete cascade,
  primary key (repository_id, digest, manifest_id)
);
create index manifest_missing_blobs_by_manifest on manifest_missing_blobs (manifest_id);

create table tags (
  repository_id bigint not null references repositories,
  name text collate "C" not null,
  manifest_id bigint not null references manifests,
  updated_by bigint,
  updated_at timestamptz not null default now(),
  primary key (repository_id, name)
) with (fillfactor = 90);
create index tags_by_manifest on tags (manifest_id);

-- Every move of a tag, in order; a null digest is a deletion.
create table tag_history (
  id bigint generated always as identity primary key,
  repository_id bigint not null references repositories,
  name text collate "C" not null,
  old_digest bytea,
  new_digest bytea,
  actor_id bigint,
  at timestamptz not null default now()
);
create index tag_history_by_tag on tag_history (repository_id, name, id);

-- The one root beside tags: a release is deployed, a backup runs, an app uses it.
create table holds (
  id bigint generated always as identity primary key,
  manifest_id bigint not null references manifests,
  owner_kind text not null,
  owner_id text not null,
  reason text not null,
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  unique (manifest_id, owner_kind, owner_id)
);

-- What was read out of a payload (an image config, a chart, a file list), once per content.
create table extracted_metadata (
  digest bytea not null,
  kind text not null,
  version int not null,
  data jsonb not null,
  created_at timestamptz not null default now(),
  primary key (digest, kind)
);

do $$
begin
  for part in 0..15 loop
    execute format('create table repository_blobs_%s partition of repository_blobs for values with (modulus 16, remainder %s)', part, part);
    execute format('create table manifest_blobs_%s partition of manifest_blobs for values with (modulus 16, remainder %s)', part, part);
  end loop;
end
$$;
