-- Charts, as the classic door and the chart API list them. All of it can be built again from manifests and their layers.

-- What one index.yaml lists: the charts whose repositories stand directly below a path.
create table chart_namespaces (
  id bigint generated always as identity primary key,
  project_id bigint not null references projects on delete cascade,
  path text collate "C" not null unique,
  -- Rises with every change to what the index says, in the transaction that makes the change.
  epoch bigint not null default 0
);

-- A repository that holds, or once held, versions of the chart that its last component names.
create table charts (
  repository_id bigint primary key references repositories on delete cascade,
  namespace_id bigint not null references chart_namespaces,
  name text collate "C" not null,
  -- The namespace's epoch at this chart's latest change, so that a reader fetches no more than what changed.
  epoch bigint not null default 0
);
create index charts_by_namespace on charts (namespace_id, epoch);

-- A version that is offered: a tag that says the version of the readable chart behind it. It goes with its tag, whoever
-- removes that.
create table chart_versions (
  repository_id bigint not null references charts on delete cascade,
  tag text collate "C" not null,
  manifest_id bigint not null references manifests,
  namespace_id bigint not null references chart_namespaces,
  -- Digest of the archive, which is the chart's layer.
  content bytea not null,
  version text collate "C" not null,
  -- `web-1.2.3.tgz`. Two charts of a namespace can come to the same one (web 2-a-1.0.0 and web-2-a 1.0.0); the first has it.
  file text collate "C" not null,
  -- The entry in index.yaml, in JSON.
  entry text not null,
  yanked boolean not null default false,
  created_at timestamptz not null default now(),
  primary key (repository_id, tag),
  unique (namespace_id, file),
  foreign key (repository_id, tag) references tags on delete cascade
);
create index chart_versions_by_manifest on chart_versions (manifest_id);

-- Contents that their owners do not want found any more. Of the content, not of the tag: it outlives deletion and a new push.
create table chart_yanks (
  repository_id bigint not null references repositories on delete cascade,
  content bytea not null,
  reason text not null,
  yanked_by bigint references principals on delete set null,
  yanked_at timestamptz not null default now(),
  primary key (repository_id, content)
);

-- Deferred, so that the namespace's row is locked for no longer than the commit takes. Whoever comes second waits for it, so
-- epochs are committed in their order: who has seen epoch n has seen every change up to n.
create function raise_chart_epoch() returns trigger language plpgsql as $$
declare
  changed bigint := coalesce(new.repository_id, old.repository_id);
  now_at bigint;
begin
  update chart_namespaces n set epoch = n.epoch + 1
    from charts c where c.repository_id = changed and n.id = c.namespace_id
    returning n.epoch into now_at;
  update charts set epoch = now_at where repository_id = changed;
  return null;
end
$$;
create constraint trigger chart_versions_raise_epoch
  after insert or update or delete on chart_versions
  deferrable initially deferred for each row execute function raise_chart_epoch();

-- A chart goes with its repository, and its versions before it.
create function raise_namespace_epoch() returns trigger language plpgsql as $$
begin
  update chart_namespaces set epoch = epoch + 1 where id = old.namespace_id;
  return null;
end
$$;
create constraint trigger charts_raise_epoch
  after delete on charts deferrable initially deferred for each row execute function raise_namespace_epoch();

-- For the job that looks for charts which are not listed.
create index manifests_of_charts on manifests (id) where kind = 'chart';
