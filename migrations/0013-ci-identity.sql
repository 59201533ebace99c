-- CI identity: who signs the tokens of builds, which of them a project trusts, and the sessions that such tokens opened.

-- Issuers that administrators registered. `url` is the claim `iss` of their tokens. `keys` are what was pasted, or what was fetched
-- last; all processes share them, and use them for a while when the issuer is away.
create table issuers (
  id bigint generated always as identity primary key,
  name text collate "C" not null unique,
  url text collate "C" not null unique,
  kind text not null check (kind in ('github', 'gitlab', 'kubernetes', 'generic')),
  pasted boolean not null,
  http boolean not null default false,
  private_addresses boolean not null default false,
  ca text,
  keys jsonb not null,
  keys_at timestamptz not null default now(),
  disabled_at timestamptz,
  created_at timestamptz not null default now()
);

-- A rule is a principal of kind `trust_rule`, named <project>/<name>, that is given rights like any other subject. It goes with its
-- project; a rule keeps its issuer.
create table trust_rules (
  principal_id bigint primary key references principals on delete cascade,
  project_id bigint not null references projects on delete cascade,
  issuer_id bigint not null references issuers,
  name text collate "C" not null,
  audience text not null,
  -- Claim → glob; all have to match.
  claims jsonb not null,
  session_minutes integer not null check (session_minutes between 1 and 360),
  unique (project_id, name)
);
create index trust_rules_by_issuer on trust_rules (issuer_id, principal_id);

-- A session is a principal of kind `ci_session` whose parent is its rule: `expires_at` ends it, `disabled_at` says that somebody
-- revoked it, and then its token opens none again. A job removes what was over a week ago.
create table ci_sessions (
  principal_id bigint primary key references principals on delete cascade,
  rule_id bigint not null references trust_rules on delete cascade,
  -- SHA-256 of the token, and of what is signed of it: the same claims may come under another signature.
  token_hash bytea not null,
  claims_hash bytea not null,
  claims jsonb not null,
  token_expires_at timestamptz not null,
  unique (rule_id, claims_hash)
);
create index ci_sessions_by_token on ci_sessions (token_hash);
create index ci_sessions_by_rule on ci_sessions (rule_id, principal_id);

create index principals_by_parent on principals (parent_id) where parent_id is not null;
