-- Names that change over ids that do not. A project is renamed by one row: the paths of its repositories and chart namespaces
-- begin with `projects.root`, which never changes, and `name` takes its place when they are shown (src/registry/queries/paths.ts).

-- The first component of this project's paths in `repositories`, `repository_aliases` and `chart_namespaces`. The name that the
-- project was made with; with ~ and its id behind it, which no name can have, where another project was made with that name.
alter table projects add column root text collate "C";
update projects set root = name;
alter table projects alter column root set not null, add unique (root);
-- The few whose paths are not what they are called, for lists in the order of names.
create index projects_renamed on projects (id) where root <> name;

-- Former names: they resolve for reads, are refused for writes, and stay reserved until an owner releases them.
create table project_aliases (
  name text collate "C" primary key,
  project_id bigint not null references projects on delete cascade,
  created_at timestamptz not null default now()
);
create index project_aliases_by_project on project_aliases (project_id, name);

-- The project whose name the former path begins with: not the repository's own any more when that moved to another one.
alter table repository_aliases add column project_id bigint not null references projects on delete cascade;
create index repository_aliases_by_project on repository_aliases (project_id, path);
create index repository_aliases_by_repository on repository_aliases (repository_id);

-- Paths that a longer name of their project could make longer than the 255 characters of a reference: nearly none.
create index repositories_with_long_paths on repositories (project_id) where length(path) > 190;

-- Names and former names of projects are one set, kept in two tables; who looks into both holds the name.
create function hold_project_name(wanted text) returns void language sql as $$
  select pg_advisory_xact_lock(hashtextextended('project ' || wanted, 0))
$$;

-- Nothing is inserted at a former name: the insert returns no row, as if the name were taken.
create function project_inserted() returns trigger language plpgsql as $$
begin
  perform hold_project_name(new.name);
  if exists (select from project_aliases where name = new.name) then
    return null;
  end if;
  if new.root is null then
    new.root := case when exists (select from projects where root = new.name) then new.name || '~' || new.id else new.name end;
  end if;
  return new;
end
$$;
create trigger project_inserted before insert on projects for each row execute function project_inserted();

-- Takes a path as clients write it and keeps it as it is kept, also for code that knows nothing of roots. The project's row is
-- shared, so that a rename, which holds it, and a first push to the old or new name see each other.
create function repository_inserted() returns trigger language plpgsql as $$
declare
  home text;
begin
  select root into home from projects where id = new.project_id for share;
  if home is not null then
    new.path := home || substr(new.path, strpos(new.path || '/', '/'));
  end if;
  if exists (select from repository_aliases where path = new.path) then
    return null;
  end if;
  return new;
end
$$;
create trigger repository_inserted before insert on repositories for each row execute function repository_inserted();

create function chart_namespace_inserted() returns trigger language plpgsql as $$
begin
  new.path := (select root from projects where id = new.project_id) || substr(new.path, strpos(new.path || '/', '/'));
  return new;
end
$$;
create trigger chart_namespace_inserted before insert on chart_namespaces
  for each row execute function chart_namespace_inserted();

-- A chart that gets another namespace takes its versions along, which are no news: who moves it raises both epochs, once.
drop trigger chart_versions_raise_epoch on chart_versions;
create constraint trigger chart_versions_raise_epoch
  after insert or delete on chart_versions
  deferrable initially deferred for each row execute function raise_chart_epoch();
create constraint trigger chart_versions_raise_epoch_of_change
  after update on chart_versions
  deferrable initially deferred for each row when (old.namespace_id = new.namespace_id) execute function raise_chart_epoch();

-- Moves of repositories to other projects, which a job makes. Rows stay, as the record of it, as long as the projects do.
create table repository_moves (
  id bigint generated always as identity primary key,
  repository_id bigint not null references repositories on delete cascade,
  from_project_id bigint not null references projects on delete cascade,
  to_project_id bigint not null references projects on delete cascade,
  -- Inside the projects, as they were when the move was asked for.
  from_path text collate "C" not null,
  to_path text collate "C" not null,
  state text not null default 'waiting' check (state in ('waiting', 'running', 'done', 'failed')),
  -- Counted by the job, as far as it came.
  manifests bigint not null default 0,
  blobs bigint not null default 0,
  -- Why it failed, as a sentence.
  error text,
  created_by bigint,
  created_at timestamptz not null default now(),
  finished_at timestamptz
);
create index repository_moves_by_source on repository_moves (from_project_id, id);
create index repository_moves_by_target on repository_moves (to_project_id, id);
create unique index repository_moves_open on repository_moves (repository_id) where state in ('waiting', 'running');

-- Takes what a repository uses from one project's account to another's, in the transaction that moves it and under the lock on
-- its row, which keeps every new link and manifest out. Does nothing while usage is not counted.
create function move_usage(moved bigint, source bigint, target bigint) returns void language plpgsql as $$
begin
  if to_regclass('project_blobs') is null then return; end if;
  -- Nothing but its own row keeps an upload from changing what it reserves. Whoever holds one wants the repository's row next, so
  -- nobody is waited for here: the caller had them all, and one that came since then and is busy makes it begin again.
  if (select count(*) from uploads where repository_id = moved)
     <> (select count(*) from (select from uploads where repository_id = moved for update skip locked) held) then
    raise exception 'an upload to repository % is busy', moved using errcode = 'serialization_failure';
  end if;
  -- Locked first, in order; what is decided afterwards sees what those before left.
  perform 1 from project_blobs p join repository_blobs rb on rb.blob_id = p.blob_id
    where rb.repository_id = moved and p.project_id in (source, target)
    order by p.project_id, p.blob_id for update of p;
  with mine as (
    select blob_id from repository_blobs where repository_id = moved
  ), gone as (
    delete from project_blobs p using mine where p.project_id = source and p.blob_id = mine.blob_id and p.links <= 1
    returning p.blob_id
  ), fewer as (
    update project_blobs p set links = p.links - 1 from mine
    where p.project_id = source and p.blob_id = mine.blob_id and p.links > 1
  ), added as (
    insert into project_blobs (project_id, blob_id, links) select target, blob_id, 1 from mine order by blob_id
    on conflict (project_id, blob_id) do update set links = project_blobs.links + 1
    returning blob_id, links
  ), sums as (
    select (select coalesce(sum(b.size), 0) from gone join blobs b on b.id = gone.blob_id) as freed,
           (select coalesce(sum(b.size), 0) from added join blobs b on b.id = added.blob_id where added.links = 1) as brought,
           (select coalesce(sum(size), 0) from manifests where repository_id = moved) as payloads,
           (select count(*) from manifests where repository_id = moved) as artifacts,
           (select coalesce(sum(reserved), 0) from uploads where repository_id = moved) as reserved
  )
  insert into project_usage_deltas (project_id, bytes, artifacts, reserved)
  select source, -(freed + payloads), -artifacts, -reserved from sums
  union all
  select target, brought + payloads, artifacts, reserved from sums;
end
$$;
