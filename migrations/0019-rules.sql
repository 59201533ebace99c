-- Tags that never move, holds on manifests, and what the time machine needs to show and undo.

-- Whether the project has rows in immutability_rules, so that a push knows without looking for them.
alter table projects add column has_immutability boolean not null default false;

-- Tags that, once they are there, say the same for ever: path_glob is over paths inside the project. Removed by owners.
create table immutability_rules (
  id bigint generated always as identity primary key,
  project_id bigint not null references projects on delete cascade,
  path_glob text collate "C" not null default '**',
  tag_glob text collate "C" not null default '*',
  -- Tags that move all the same, such as `latest`.
  tag_except text collate "C",
  created_by bigint references principals on delete set null,
  created_at timestamptz not null default now(),
  unique nulls not distinct (project_id, path_glob, tag_glob, tag_except)
);

-- Called before a tag moves or comes back: makes the creation of a rule wait for the caller's transaction, and the caller for
-- one that is under way. An advisory lock, because a row lock would write the project's row for every push. Volatile, so that
-- the last look is taken after the wait.
create function guard_tags(of_repository bigint) returns boolean language plpgsql volatile as $$
declare
  project bigint;
  ruled boolean;
begin
  select project_id into project from repositories where id = of_repository;
  perform pg_advisory_xact_lock_shared(1650815491, (project % 2147483647)::int);
  select has_immutability into ruled from projects where id = project;
  return coalesce(ruled, false);
end
$$;

-- Who placed it; null: the hub itself, or somebody who is gone. A hold that has expired does not keep its manifest's row.
alter table holds
  add column created_by bigint references principals on delete set null,
  drop constraint holds_manifest_id_fkey,
  add constraint holds_manifest_id_fkey foreign key (manifest_id) references manifests on delete cascade;
create index holds_expired on holds (expires_at) where expires_at is not null;

-- The name that the actor had; people and robots go, what they did stays.
alter table tag_history add column actor_name text;
create index tag_history_by_repository on tag_history (repository_id, id);

-- The trash of a repository, newest last.
create index manifests_trash on manifests (repository_id, deleted_at, id) where deleted_at is not null;

-- When an owner deleted it with all that was in it. It is not listed as long as nothing live is in it, and its row goes when
-- the trash is empty and no rule needs its history.
alter table repositories add column deleted_at timestamptz;

-- The version was pushed as a manifest before it was changed file by file: whole from the beginning.
alter table file_versions add column adopted boolean not null default false;
