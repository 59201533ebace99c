-- Who exists: the hub itself, principals of every kind, what they sign in with, and what they may do.

-- One row. The store holds the same id (key `instance`); a mismatch stops start-up.
create table instance (
  one_row boolean primary key default true check (one_row),
  id uuid not null default gen_random_uuid(),
  created_at timestamptz not null default now()
);
insert into instance default values;

-- Anyone or anything that can be given a right. A user, later also robots, teams, trust rules, CI sessions and workflow
-- runs; `parent_id` says on whose behalf it exists, `expires_at` when it stops.
-- `epoch` rises with every change that may take something away; whatever memory or a token remembers carries the epoch.
create table principals (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('user', 'robot', 'team', 'trust_rule', 'ci_session', 'run', 'everyone')),
  name text collate "C" not null,
  parent_id bigint references principals,
  epoch bigint not null default 1,
  disabled_at timestamptz,
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  unique (kind, name)
);
insert into principals (kind, name) values ('everyone', 'everyone');

create table users (
  principal_id bigint primary key references principals on delete cascade,
  -- PHC string, argon2id; null for people who only sign in elsewhere.
  password_hash text,
  admin boolean not null default false
);

-- Personal tokens. The secret has 160 random bits, so a plain SHA-256 of it is enough and looked up by index.
create table tokens (
  id bigint generated always as identity primary key,
  principal_id bigint not null references principals on delete cascade,
  name text not null,
  secret_hash bytea not null unique,
  -- What the token may do at most: any of pull, push, delete, admin. It narrows its owner, never widens.
  actions text[] not null,
  -- Paths (globs) that it is limited to; null means wherever its owner may go.
  paths text[],
  expires_at timestamptz not null,
  last_used_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default now()
);
create index tokens_by_owner on tokens (principal_id, id);

create table projects (
  id bigint generated always as identity primary key,
  name text collate "C" not null unique,
  kind text not null default 'hosted' check (kind in ('hosted', 'proxy')),
  visibility text not null default 'private' check (visibility in ('private', 'public')),
  -- Manifests may name blobs and manifests that are not here.
  allow_sparse boolean not null default false,
  epoch bigint not null default 1,
  created_by bigint references principals on delete set null,
  created_at timestamptz not null default now()
);

-- subject × project × path × role. `tag_glob` limits create, overwrite and delete of tags, never reads.
create table grants (
  id bigint generated always as identity primary key,
  subject_id bigint not null references principals on delete cascade,
  project_id bigint not null references projects on delete cascade,
  path_glob text collate "C" not null default '**',
  role text not null check (role in ('reader', 'writer', 'maintainer', 'owner')),
  tag_glob text collate "C",
  create_only boolean not null default false,
  expires_at timestamptz,
  created_by bigint references principals on delete set null,
  created_at timestamptz not null default now(),
  unique nulls not distinct (subject_id, project_id, path_glob, tag_glob)
);
create index grants_by_project on grants (project_id, subject_id);

-- Anything the hub must keep secret and read back: AES-256-GCM under the key named by `key_id`.
create table secrets (
  id bigint generated always as identity primary key,
  purpose text not null,
  name text not null,
  key_id text not null,
  nonce bytea not null,
  ciphertext bytea not null,
  created_at timestamptz not null default now(),
  unique (purpose, name)
);

-- Keys that sign registry tokens; published as JWKS while `retired_at` is in the future.
create table signing_keys (
  kid text primary key,
  public_jwk jsonb not null,
  secret_id bigint not null references secrets,
  created_at timestamptz not null default now(),
  signs_until timestamptz not null,
  retired_at timestamptz not null
);
