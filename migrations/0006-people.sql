-- Robots, sessions, and people whose accounts are kept elsewhere.

-- A robot is a principal of kind `robot` that belongs to a project, or to the hub. It goes with its project.
create table robots (
  principal_id bigint primary key references principals on delete cascade,
  project_id bigint references projects on delete cascade,
  -- What people call it within its project; the principal's name is robot-<project>-<name>, which no other project can make.
  name text collate "C" not null,
  description text not null default '',
  created_by bigint references principals on delete set null,
  unique nulls not distinct (project_id, name)
);

-- Where people can sign in beside their password here: OIDC providers and LDAP directories. What differs between kinds is in
-- `settings`; what is secret (client secret, bind password) is in `secrets`.
create table providers (
  id bigint generated always as identity primary key,
  name text collate "C" not null unique,
  kind text not null check (kind in ('oidc', 'ldap')),
  title text not null,
  enabled boolean not null default true,
  settings jsonb not null,
  secret_id bigint references secrets,
  -- Rises with every change; what memory keeps of a provider carries it.
  version bigint not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- Who a person is over there. `subject` is what the provider promises never to give to someone else; a name or an e-mail
-- address is not. The issuer is a part of it: a provider that is pointed elsewhere knows nobody.
create table identities (
  id bigint generated always as identity primary key,
  provider_id bigint not null references providers on delete cascade,
  issuer text collate "C" not null,
  subject text collate "C" not null,
  principal_id bigint not null references principals on delete cascade,
  created_at timestamptz not null default now(),
  last_used_at timestamptz not null default now(),
  unique (provider_id, issuer, subject)
);
create index identities_by_principal on identities (principal_id);

-- A browser that someone signed in with. The secret has 256 random bits and is stored as SHA-256. A job removes what is over.
create table sessions (
  id bigint generated always as identity primary key,
  principal_id bigint not null references principals on delete cascade,
  secret_hash bytea not null unique,
  -- Null: by the password that is kept here.
  provider_id bigint references providers on delete cascade,
  address text,
  user_agent text,
  created_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index sessions_by_owner on sessions (principal_id, id);
create index sessions_by_end on sessions (expires_at);

-- Wrong passwords by account and address, so that every worker of every replica knows of them. Only failures write; a crash of
-- Postgres forgets them. A job removes what is old.
create unlogged table sign_in_failures (
  -- SHA-256 over account and address: people type passwords where the name belongs.
  key bytea primary key,
  wrong integer not null,
  wait_until timestamptz not null,
  at timestamptz not null default now()
);
create index sign_in_failures_by_age on sign_in_failures (at);
