-- Files as artifacts. A version is a tag. While files arrive one by one they are rows here, and the manifest that stands for
-- them is built when somebody asks for it: building it for each of ten thousand files would write it ten thousand times.

-- True while the files of the version have changed since the manifest that the tag points at was built. Only ever set for
-- tags that have a row in file_versions; whoever reads such a tag builds the manifest first.
alter table tags add column stale boolean not null default false;

-- A version that was made, or changed, file by file. It goes with its tag, and when the tag is moved by a manifest's push.
create table file_versions (
  id bigint generated always as identity primary key,
  repository_id bigint not null,
  name text collate "C" not null,
  -- Key and value become annotations of the manifest.
  properties jsonb not null default '{}',
  -- Of all entries; `weight` is what they take in the manifest, in bytes.
  files int not null default 0,
  weight int not null default 0,
  updated_by bigint,
  updated_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  -- From then on nothing about it changes, and its manifest alone says what is in it.
  finalised_at timestamptz,
  unique (repository_id, name),
  foreign key (repository_id, name) references tags on delete cascade
);
create index file_versions_by_property on file_versions using gin (properties jsonb_path_ops);

-- A file of a version that is not final. A link that it needs cannot go, as with manifest_blobs.
create table file_entries (
  version_id bigint not null references file_versions on delete cascade,
  path text collate "C" not null,
  repository_id bigint not null,
  blob_id bigint not null,
  media_type text not null default 'application/octet-stream',
  updated_at timestamptz not null default now(),
  primary key (version_id, path),
  foreign key (repository_id, blob_id) references repository_blobs on delete restrict
);
create index file_entries_by_blob on file_entries (repository_id, blob_id);

-- `version/path` of an upload to /files whose sender may come back for the rest. A finished one has no row any more.
alter table uploads add column file text collate "C";
create index uploads_by_file on uploads (repository_id, principal_id, file) where file is not null;

-- Links that open one file to whoever has them, until they expire. A share acts as the person who made it, narrowed to one
-- action on one file; it ends with that person's right.
create table file_shares (
  id bigint generated always as identity primary key,
  -- SHA-256 of the secret in the link.
  secret_hash bytea not null unique,
  repository_id bigint not null references repositories on delete cascade,
  -- A tag or a digest.
  version text collate "C" not null,
  path text collate "C" not null,
  action text not null check (action in ('pull', 'push')),
  created_by bigint not null references principals on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index file_shares_by_repository on file_shares (repository_id, id);
create index file_shares_expired on file_shares (expires_at);
