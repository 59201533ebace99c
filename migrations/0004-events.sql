-- The outbox: one row per fact, inserted in the transaction that made it true. Consumers read in (xid, id) order and stop
-- below pg_snapshot_xmin, so a transaction that commits late is never skipped.
create table events (
  id bigint generated always as identity primary key,
  xid xid8 not null default pg_current_xact_id(),
  -- CloudEvents type, e.g. dev.berth.manifest.pushed
  type text not null,
  project_id bigint,
  repository_id bigint,
  actor_id bigint,
  request_id text,
  data jsonb not null,
  at timestamptz not null default now()
);
create index events_in_order on events (xid, id);

create table event_consumers (
  name text primary key,
  xid xid8 not null default '0',
  id bigint not null default 0
);

-- Processes that run jobs. A job stays locked by a process that was killed; the others unlock it when its beat is old.
create table job_runners (
  worker_id text primary key,
  seen_at timestamptz not null default now()
);
