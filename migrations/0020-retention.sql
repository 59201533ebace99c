-- Which pulls there were, and what projects let go of by rule.

-- One row: from when on pulls are counted. What is older has no last pull that anybody knows of, which is not the same as
-- never having been pulled.
create table pull_tracking (
  one_row boolean primary key default true check (one_row),
  since timestamptz not null default now()
);
insert into pull_tracking default values;

-- Pulls by clients, flushed in batches within a minute. A pull by tag counts for the tag and for what it pointed at.
create table manifest_pulls (
  manifest_id bigint primary key references manifests on delete cascade,
  last_pulled_at timestamptz not null,
  pulls bigint not null
) with (fillfactor = 80);

create table tag_pulls (
  repository_id bigint not null,
  name text collate "C" not null,
  last_pulled_at timestamptz not null,
  pulls bigint not null,
  primary key (repository_id, name),
  foreign key (repository_id, name) references tags on delete cascade
) with (fillfactor = 80);

-- What a project keeps. `rules` is an ordered list in the API's own shape.
create table retention_policies (
  project_id bigint primary key references projects on delete cascade,
  rules jsonb not null,
  -- Whether the daily run happens.
  enabled boolean not null default true,
  -- Hour of the day in UTC; null: only when somebody starts a run.
  daily_hour smallint check (daily_hour between 0 and 23),
  -- When a daily run was last begun.
  scheduled_at timestamptz,
  updated_by bigint references principals on delete set null,
  updated_at timestamptz not null default now(),
  epoch bigint not null default 1
);

-- A run, its report, and its undoing. Rows go after 90 days, their decisions with them.
create table retention_runs (
  id bigint generated always as identity primary key,
  project_id bigint not null references projects on delete cascade,
  state text not null default 'waiting' check (state in ('waiting', 'running', 'done', 'failed', 'undoing', 'undone')),
  trigger text not null check (trigger in ('manual', 'daily')),
  -- The rules as they were when it was started.
  rules jsonb not null,
  started_by bigint references principals on delete set null,
  undone_by bigint references principals on delete set null,
  started_at timestamptz not null default now(),
  finished_at timestamptz,
  -- Who works on it, and when that was last seen; another may take over when it is long ago.
  worker uuid,
  seen_at timestamptz,
  tags_deleted bigint not null default 0,
  manifests_deleted bigint not null default 0,
  tags_kept bigint not null default 0,
  manifests_kept bigint not null default 0,
  skipped bigint not null default 0,
  restored bigint not null default 0,
  -- Of blobs that nothing in the project needs any more, in the end.
  bytes bigint not null default 0,
  error text
);
-- One at a time in a project, whatever the number of replicas.
create unique index retention_runs_under_way on retention_runs (project_id) where state in ('waiting', 'running', 'undoing');
create index retention_runs_by_project on retention_runs (project_id, id);
create index retention_runs_by_age on retention_runs (started_at);

-- What a run deleted, and what it meant to delete and left; what was kept is counted in the run.
create table retention_decisions (
  id bigint generated always as identity primary key,
  run_id bigint not null references retention_runs on delete cascade,
  repository_id bigint not null,
  -- The repository's path at that time.
  path text collate "C" not null,
  kind text not null check (kind in ('tag', 'manifest')),
  -- Of a tag.
  name text collate "C",
  manifest_id bigint not null,
  digest bytea not null,
  -- When the tag had been moved last.
  pushed_at timestamptz,
  decision text not null check (decision in ('deleted', 'skipped', 'restored')),
  reason text not null,
  at timestamptz not null default now()
);
create index retention_decisions_by_run on retention_decisions (run_id, id);
