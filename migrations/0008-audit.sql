-- Who asked for it, from where, with which credential, and by which right: what the audit trail knows beyond the fact itself.
alter table events add column origin jsonb;

-- The audit trail: one row for each change (out of the outbox) and for denied attempts (counted). Rows are inserted, then
-- chained by a worker, then never touched again; retention removes the oldest. Names are what they were at the time, and no
-- foreign key takes a row away.
create table audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  -- What happened (`grant.set`, `manifest.pushed`), or for a denial what was wanted (`push`, `sign-in`).
  action text collate "C" not null,
  decision text not null check (decision in ('allow', 'deny')),
  reason text,
  principal_id bigint,
  principal_kind text,
  principal_name text collate "C",
  credential text,
  credential_id bigint,
  address text,
  request_id text,
  route text,
  project_id bigint,
  project text collate "C",
  repository text collate "C",
  reference text,
  -- Particulars, with before and after; never a secret.
  data jsonb not null default '{}',
  -- Denials of the same kind in the same minute that the row stands for.
  count int not null default 1,
  -- The event that it came from.
  event_id bigint unique,
  -- Place in the chain, and SHA-256 over the hash before and the row; null until the worker comes by.
  seq bigint unique,
  hash bytea,
  check ((seq is null) = (hash is null))
);
create index audit_by_time on audit (at, id);
create index audit_by_project on audit (project_id, at, id);
create index audit_by_principal on audit (principal_name, at, id);
create index audit_by_action on audit (action, at, id);
create index audit_unchained on audit (id) where seq is null;

-- Where the chain begins (what retention has removed ends with this hash) and where it ends. One row.
create table audit_chain (
  one boolean primary key default true check (one),
  start_seq bigint not null default 0,
  start_hash bytea not null default '\x',
  end_seq bigint not null default 0,
  end_hash bytea not null default '\x'
);
insert into audit_chain default values;

-- Against mistakes and injected statements; against who owns the database there is the chain.
create function audit_is_append_only() returns trigger language plpgsql as $$
begin
  if tg_op = 'TRUNCATE' then
    raise exception 'audit is append-only';
  end if;
  if tg_op = 'DELETE' then
    if old.at < now() - interval '30 days' and old.seq is not null then
      return old;
    end if;
    raise exception 'audit is append-only: rows stay for at least 30 days';
  end if;
  if old.seq is not null then
    raise exception 'audit is append-only: row % is chained', old.id;
  end if;
  -- Only seq and hash may come in.
  if to_jsonb(new) - 'seq' - 'hash' is distinct from to_jsonb(old) - 'seq' - 'hash' then
    raise exception 'audit is append-only: row % may only be chained', old.id;
  end if;
  return new;
end
$$;
create trigger audit_append_only before update or delete on audit for each row execute function audit_is_append_only();
create trigger audit_no_truncate before truncate on audit for each statement execute function audit_is_append_only();

insert into event_consumers (name) values ('audit');
