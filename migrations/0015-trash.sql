-- What was deleted and can still be brought back: one row for each manifest with `deleted_at`. It goes when the manifest comes
-- back, and with the manifest when garbage collection removes that. Rows of an earlier version's deletes are missing; such
-- manifests are in the trash all the same, without particulars.
create table deletions (
  manifest_id bigint primary key references manifests on delete cascade,
  repository_id bigint not null references repositories on delete cascade,
  -- request: somebody asked for it. retention: a rule did. orphan: it referred to something that is gone.
  reason text not null check (reason in ('request', 'retention', 'orphan')),
  -- Of what decided it, such as a run of retention.
  run_id bigint,
  actor_id bigint,
  -- Tags that pointed at it then, which a restore gives back where they are free.
  tags text[] collate "C" not null default '{}',
  at timestamptz not null default now()
);
create index deletions_by_repository on deletions (repository_id, at);
create index deletions_by_run on deletions (run_id) where run_id is not null;
create index manifests_deleted on manifests (deleted_at) where deleted_at is not null;
