-- Online garbage collection (docs/garbage-collection.md). What may have lost its last use waits in a queue to be looked at; so
-- collecting costs what there is to collect, whatever else is stored. Triggers fill the queues, for every version of the hub
-- that writes here. They know no settings: they write the moment from which something may be due, and who reads the queue
-- adds the delays.
--
-- Two rules that the triggers and the readers keep, so that nothing is ever forgotten: a link without a use is in
-- link_reviews, and a content without a link in blob_reviews. A trigger that finds its row there already locks it
-- (`do update`, not `do nothing`): otherwise a reader that still sees the use could remove the row in the same moment.

-- Links that somebody has to look at: new ones when their lease is over, others since they lost a use or were deleted. A row
-- goes when its link has a use, which brings the row back when it ends, or with the link. No foreign key: it would lock links.
create table link_reviews (
  repository_id bigint not null,
  blob_id bigint not null,
  review_after timestamptz not null,
  primary key (repository_id, blob_id)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
        autovacuum_analyze_scale_factor = 0.05);
create index link_reviews_due on link_reviews (review_after, repository_id, blob_id);

-- Contents that lost a link. A row goes when the content has another one, or with the content.
create table blob_reviews (
  blob_id bigint primary key,
  review_after timestamptz not null
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
        autovacuum_analyze_scale_factor = 0.05);
create index blob_reviews_due on blob_reviews (review_after, blob_id);

-- Manifests that are gone for good, while others here refer to them, by `subject` or by a tag that says their digest. A row
-- goes when all of those were moved to the trash, or have a reason to stay, or the subject is here again.
create table subject_reviews (
  repository_id bigint not null,
  digest bytea not null,
  -- When it was deleted: what was pushed later waits for a subject that may come, and is left alone.
  gone_at timestamptz not null,
  review_after timestamptz not null,
  primary key (repository_id, digest)
);
create index subject_reviews_due on subject_reviews (review_after, repository_id, digest);

create function review_new_link() returns trigger language plpgsql as $$
begin
  insert into link_reviews as r (repository_id, blob_id, review_after)
  values (new.repository_id, new.blob_id, new.leased_until)
  on conflict (repository_id, blob_id) do update set review_after = least(r.review_after, excluded.review_after);
  return null;
end
$$;
create trigger repository_blobs_review_new after insert on repository_blobs
  for each row execute function review_new_link();

create function review_link() returns trigger language plpgsql as $$
begin
  insert into link_reviews as r (repository_id, blob_id, review_after)
  values (old.repository_id, old.blob_id, now())
  on conflict (repository_id, blob_id) do update set review_after = least(r.review_after, excluded.review_after);
  return null;
end
$$;
create trigger repository_blobs_review_deleted after update of deleted_at on repository_blobs
  for each row when (new.deleted_at is not null and old.deleted_at is null) execute function review_link();
create trigger file_entries_review_replaced after update of blob_id on file_entries
  for each row when (new.blob_id <> old.blob_id) execute function review_link();

-- For each statement and in order, so that two that end the same uses do not wait for each other in a circle.
create function review_links() returns trigger language plpgsql as $$
begin
  insert into link_reviews as r (repository_id, blob_id, review_after)
  select distinct repository_id, blob_id, now() from gone order by repository_id, blob_id
  on conflict (repository_id, blob_id) do update set review_after = least(r.review_after, excluded.review_after);
  return null;
end
$$;
create trigger manifest_blobs_review after delete on manifest_blobs
  referencing old table as gone for each statement execute function review_links();
create trigger file_entries_review after delete on file_entries
  referencing old table as gone for each statement execute function review_links();

create function review_blobs() returns trigger language plpgsql as $$
begin
  insert into blob_reviews as r (blob_id, review_after)
  select distinct blob_id, now() from gone order by blob_id
  on conflict (blob_id) do update set review_after = least(r.review_after, excluded.review_after);
  return null;
end
$$;
create trigger repository_blobs_review_blobs after delete on repository_blobs
  referencing old table as gone for each statement execute function review_blobs();

-- The tag that stands for a digest where there is no referrers API (distribution-spec, "Referrers Tag Schema"), and that
-- cosign builds its own names upon (`sha256-<hex>.sig`).
create function referrers_tag(digest bytea) returns text language sql immutable parallel safe as $$
  select (case get_byte(digest, 0) when 1 then 'sha256-' else 'sha512-' end)
         || left(encode(substr(digest, 2), 'hex'), 64)
$$;

create function review_subject() returns trigger language plpgsql as $$
declare
  named text collate "C" := referrers_tag(old.digest);
begin
  if exists (select from manifests m
             where m.repository_id = old.repository_id and m.subject_digest = old.digest and m.deleted_at is null)
     or exists (select from tags t
                where t.repository_id = old.repository_id
                  and (t.name = named or (t.name > named || '.' and t.name < named || '/'))) then
    insert into subject_reviews as r (repository_id, digest, gone_at, review_after)
    values (old.repository_id, old.digest, coalesce(old.deleted_at, now()), now())
    on conflict (repository_id, digest)
      do update set gone_at = greatest(r.gone_at, excluded.gone_at), review_after = excluded.review_after;
  end if;
  return null;
end
$$;
create trigger manifests_review_subject after delete on manifests
  for each row execute function review_subject();

-- What an index lists can only follow its subject when the index has gone.
create function review_listed() returns trigger language plpgsql as $$
begin
  update subject_reviews s set review_after = now()
  from manifest_children c join manifests m on m.repository_id = c.repository_id and m.digest = c.child_digest
  where c.manifest_id = new.id and s.repository_id = m.repository_id and s.digest = m.subject_digest;
  return null;
end
$$;
create trigger manifests_review_listed after update of deleted_at on manifests
  for each row when (new.deleted_at is not null and old.deleted_at is null) execute function review_listed();

-- What is in the trash, in the order in which it may go. The index of 0015 does not tell deletions of one moment apart, of
-- which a run of retention can make 10^5.
create index manifests_in_trash on manifests (deleted_at, id) where deleted_at is not null;

-- What a dead object was, so that a report can tell bytes. Rows of an earlier version say 0.
alter table dead_objects add column size bigint not null default 0;
alter table dead_objects add column blob_digest bytea;

-- One row: which process collects now, and how far the links that were here before the queues have been looked through.
create table gc_state (
  only_row boolean primary key default true check (only_row),
  runner uuid,
  runner_seen timestamptz,
  -- The last link that was looked at; (0, 0) before the first.
  backfill_repository bigint not null default 0,
  backfill_blob bigint not null default 0,
  backfilled_at timestamptz
) with (fillfactor = 50);
insert into gc_state default values;

-- What runs of garbage collection removed, counted in the transactions that removed it. A run that found nothing has no row;
-- rows are kept for 90 days.
create table gc_runs (
  id uuid primary key,
  cause text not null check (cause in ('schedule', 'request', 'command')),
  requested_by bigint references principals on delete set null,
  started_at timestamptz not null default now(),
  -- Of the last batch; a run that ended without saying so was killed.
  seen_at timestamptz not null default now(),
  finished_at timestamptz,
  -- Purged from the trash, and moved there because their subject is gone for good.
  manifests bigint not null default 0,
  orphans bigint not null default 0,
  -- Of repositories to contents, contents that no repository had any more, and their bytes.
  links bigint not null default 0,
  blobs bigint not null default 0,
  bytes bigint not null default 0,
  -- Uploads that nobody continued.
  uploads bigint not null default 0,
  -- Taken out of the store.
  objects bigint not null default 0,
  object_bytes bigint not null default 0
) with (fillfactor = 50);
create index gc_runs_by_start on gc_runs (started_at desc, id desc);

-- While one of these has not expired, no bytes leave the store: a backup is being taken.
create table gc_holds (
  id bigint generated always as identity primary key,
  owner_kind text collate "C" not null,
  owner_id text collate "C" not null,
  reason text not null,
  expires_at timestamptz not null,
  created_by bigint references principals on delete set null,
  created_at timestamptz not null default now()
);
