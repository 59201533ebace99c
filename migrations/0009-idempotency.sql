-- Answers to creates that carried an Idempotency-Key, so that asking again gives the same answer instead of a second thing. A
-- job removes them after a day. Answers may hold secrets (a new token), so they are encrypted under the master key.
create table idempotency_keys (
  principal_id bigint not null references principals on delete cascade,
  route text not null,
  -- SHA-256 of what the client sent.
  key bytea not null,
  -- HMAC under the master key over path, query and body: bodies hold passwords.
  request bytea not null,
  -- Null until the first request has been answered.
  status int,
  key_id text,
  nonce bytea,
  ciphertext bytea,
  created_at timestamptz not null default now(),
  primary key (principal_id, route, key)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);
