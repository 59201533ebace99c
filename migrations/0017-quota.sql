-- Quota: what each project uses, kept exact by triggers in the transaction that changes it, whoever makes the change.

-- Kept equal to "project_usage has a limit" by whoever sets one, so that a request knows without asking.
alter table projects add column limited boolean not null default false;

-- One row for each project; it comes and goes with it. What is used is this row and the project's rows in
-- project_usage_deltas together.
create table project_usage (
  project_id bigint primary key references projects on delete cascade,
  -- Null: without limit.
  max_bytes bigint check (max_bytes >= 0),
  max_artifacts bigint check (max_artifacts >= 0),
  -- Each blob once, and the payloads of manifests; what is hidden or in the trash included, since its rows are there.
  bytes bigint not null default 0,
  artifacts bigint not null default 0,
  -- Of uploads that are under way.
  reserved bigint not null default 0
) with (fillfactor = 50);

-- What transactions changed in projects without a limit: no hot row, each appends. A job folds them into project_usage; those of
-- a project that is gone, too. No foreign key, since its lock on the project's row would be one that all pushes share.
create table project_usage_deltas (
  project_id bigint not null,
  id bigint generated always as identity,
  bytes bigint not null default 0,
  artifacts bigint not null default 0,
  reserved bigint not null default 0,
  -- It counts, and is never refused: `berth.quota` was `always`.
  always boolean not null default coalesce(current_setting('berth.quota', true) = 'always', false),
  tx xid8 not null default pg_current_xact_id(),
  primary key (project_id, id)
);

-- In how many repositories of the project a blob is, so that the first link and the last one are known without looking at the
-- others; and links that come and go at the same time wait for each other here. The row goes with the last link.
create table project_blobs (
  project_id bigint not null,
  blob_id bigint not null,
  links int not null,
  primary key (project_id, blob_id)
) with (fillfactor = 90);

-- Bytes that the upload may still bring, with those that it has brought. 0 where there is no limit.
alter table uploads add column reserved bigint not null default 0 check (reserved >= 0);

create function count_new_links() returns trigger language plpgsql as $$
begin
  with added as (
    insert into project_blobs (project_id, blob_id, links)
    select r.project_id, n.blob_id, count(*) from new_links n join repositories r on r.id = n.repository_id
    group by r.project_id, n.blob_id order by r.project_id, n.blob_id
    on conflict (project_id, blob_id) do update set links = project_blobs.links + excluded.links
    returning project_id, blob_id, (xmax = 0) as is_first
  )
  insert into project_usage_deltas (project_id, bytes)
  select a.project_id, sum(b.size) from added a join blobs b on b.id = a.blob_id
  where a.is_first and b.size > 0 group by a.project_id order by a.project_id;
  return null;
end
$$;

create function count_old_links() returns trigger language plpgsql as $$
begin
  -- A repository that is just being moved to another project is waited for: what goes, goes from where it is then.
  perform 1 from repositories where id in (select repository_id from old_links) order by id for key share;
  -- Locked first, and in order; what is decided afterwards sees what the one before left.
  perform 1 from project_blobs p
    join (select distinct r.project_id, o.blob_id from old_links o join repositories r on r.id = o.repository_id) g
      on g.project_id = p.project_id and g.blob_id = p.blob_id
    order by p.project_id, p.blob_id for update of p;
  if not found then return null; end if;
  with fewer as (
    select r.project_id, o.blob_id, count(*)::int as links from old_links o join repositories r on r.id = o.repository_id
    group by r.project_id, o.blob_id
  ), last as (
    delete from project_blobs p using fewer f
    where p.project_id = f.project_id and p.blob_id = f.blob_id and p.links <= f.links
    returning p.project_id, p.blob_id
  ), rest as (
    update project_blobs p set links = p.links - f.links from fewer f
    where p.project_id = f.project_id and p.blob_id = f.blob_id and p.links > f.links
  )
  insert into project_usage_deltas (project_id, bytes)
  select l.project_id, -sum(b.size) from last l join blobs b on b.id = l.blob_id
  where b.size > 0 group by l.project_id order by l.project_id;
  return null;
end
$$;

create function count_new_manifests() returns trigger language plpgsql as $$
begin
  insert into project_usage_deltas (project_id, bytes, artifacts)
  select r.project_id, sum(n.size), count(*) from new_manifests n join repositories r on r.id = n.repository_id
  group by r.project_id order by r.project_id;
  return null;
end
$$;

create function count_old_manifests() returns trigger language plpgsql as $$
begin
  perform 1 from repositories where id in (select repository_id from old_manifests) order by id for key share;
  insert into project_usage_deltas (project_id, bytes, artifacts)
  select r.project_id, -sum(o.size), -count(*) from old_manifests o join repositories r on r.id = o.repository_id
  group by r.project_id order by r.project_id;
  return null;
end
$$;

create function count_reservation() returns trigger language plpgsql as $$
declare
  project bigint;
begin
  select project_id into project from repositories where id = coalesce(new.repository_id, old.repository_id) for key share;
  if found then
    insert into project_usage_deltas (project_id, reserved)
    values (project, coalesce(new.reserved, 0) - coalesce(old.reserved, 0));
  end if;
  return null;
end
$$;

-- The cascade to uploads runs when nobody can tell any more which project they were in.
create function release_reservations() returns trigger language plpgsql as $$
begin
  update uploads set reserved = 0 where repository_id = old.id and reserved <> 0;
  return old;
end
$$;

-- Runs when the transaction commits, so that the project's row is locked for the commit alone. Whoever sets a limit holds the
-- lock that is shared here, so no delta slips past it; and it is no lock on the row, which would be one to be raised later.
create function settle_usage() returns trigger language plpgsql as $$
declare
  usage project_usage;
  d record;
begin
  -- Another project than this may share the number; it only waits along.
  perform pg_advisory_xact_lock_shared(1650815492, (new.project_id % 2147483647)::int);
  select * into usage from project_usage where project_id = new.project_id;
  if not found then
    delete from project_usage_deltas where project_id = new.project_id and id = new.id;
    return null;
  end if;
  if usage.max_bytes is null and usage.max_artifacts is null then return null; end if;

  -- All that this transaction changed in the project, at once: what is released makes room for what comes.
  with mine as (
    delete from project_usage_deltas where project_id = new.project_id and tx = pg_current_xact_id()
    returning bytes, artifacts, reserved, always
  )
  select coalesce(sum(bytes), 0)::bigint as bytes, coalesce(sum(artifacts), 0)::bigint as artifacts,
         coalesce(sum(reserved), 0)::bigint as reserved,
         coalesce(sum(bytes + reserved) filter (where not always), 0)::bigint as wanted_bytes,
         coalesce(sum(artifacts) filter (where not always), 0)::bigint as wanted_artifacts
  into d from mine;
  if d.bytes = 0 and d.artifacts = 0 and d.reserved = 0 then return null; end if;

  select * into usage from project_usage where project_id = new.project_id for no key update;
  if (d.wanted_bytes > 0 and d.bytes + d.reserved > 0 and usage.bytes + usage.reserved + d.bytes + d.reserved > usage.max_bytes)
     or (d.wanted_artifacts > 0 and d.artifacts > 0 and usage.artifacts + d.artifacts > usage.max_artifacts) then
    raise exception 'project % has no room', new.project_id using errcode = 'BQ001', detail = json_build_object(
      'project', (select name from projects where id = new.project_id),
      'max_bytes', usage.max_bytes, 'used', usage.bytes, 'reserved', usage.reserved, 'needed', d.bytes + d.reserved,
      'max_artifacts', usage.max_artifacts, 'artifacts', usage.artifacts, 'needed_artifacts', d.artifacts)::text;
  end if;
  update project_usage
  set bytes = bytes + d.bytes, artifacts = artifacts + d.artifacts, reserved = reserved + d.reserved
  where project_id = new.project_id;
  return null;
end
$$;

create function make_project_usage() returns trigger language plpgsql as $$
begin
  insert into project_usage (project_id) values (new.id);
  return null;
end
$$;

-- From here on nobody writes to these tables until this file is committed, so what is counted below is all there is. It reads
-- each link and each manifest once.
create trigger project_usage after insert on projects for each row execute function make_project_usage();
create trigger quota_insert after insert on repository_blobs referencing new table as new_links
  for each statement execute function count_new_links();
create trigger quota_delete after delete on repository_blobs referencing old table as old_links
  for each statement execute function count_old_links();
create trigger quota_insert after insert on manifests referencing new table as new_manifests
  for each statement execute function count_new_manifests();
create trigger quota_delete after delete on manifests referencing old table as old_manifests
  for each statement execute function count_old_manifests();
create trigger quota_insert after insert on uploads
  for each row when (new.reserved <> 0) execute function count_reservation();
create trigger quota_update after update of reserved on uploads
  for each row when (new.reserved <> old.reserved) execute function count_reservation();
create trigger quota_delete after delete on uploads
  for each row when (old.reserved <> 0) execute function count_reservation();
create trigger quota_delete before delete on repositories
  for each row execute function release_reservations();
create constraint trigger settle after insert on project_usage_deltas deferrable initially deferred
  for each row execute function settle_usage();

insert into project_blobs (project_id, blob_id, links)
select r.project_id, rb.blob_id, count(*) from repository_blobs rb join repositories r on r.id = rb.repository_id
group by r.project_id, rb.blob_id;

insert into project_usage (project_id, bytes, artifacts)
select p.id, coalesce(b.bytes, 0) + coalesce(m.bytes, 0), coalesce(m.artifacts, 0)
from projects p
left join (select pb.project_id, sum(size) as bytes from project_blobs pb join blobs on blobs.id = pb.blob_id
           group by pb.project_id) b on b.project_id = p.id
left join (select r.project_id, sum(m.size) as bytes, count(*) as artifacts
           from manifests m join repositories r on r.id = m.repository_id group by r.project_id) m on m.project_id = p.id;

analyze project_blobs;
