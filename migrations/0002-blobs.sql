-- Bytes. A key is in exactly one of blobs, uploads and dead_objects; that is how every object has an owner.

-- One row per content, whatever the number of repositories. `digest` is always sha256 (33 bytes: algorithm, then hash).
create table blobs (
  id bigint generated always as identity primary key,
  digest bytea not null unique,
  size bigint not null check (size >= 0),
  store text not null,
  key text not null,
  created_at timestamptz not null default now()
);

-- Other names of the same content (sha512).
create table blob_digests (
  digest bytea primary key,
  blob_id bigint not null references blobs on delete cascade
);
create index blob_digests_by_blob on blob_digests (blob_id);

-- Objects that nothing names any more; the bytes go after `delete_after`.
create table dead_objects (
  key text primary key,
  store text not null,
  reason text not null,
  delete_after timestamptz not null,
  attempts int not null default 0
);
create index dead_objects_due on dead_objects (delete_after);
