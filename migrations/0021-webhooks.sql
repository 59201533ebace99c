-- Webhooks: who is told of which events, and every message that was made for them.

-- A hook of a project, or of the hub (no project). `owner_id` is whose rights decide what it is told, narrowed by `owner_limits`, the
-- limits of the token that it was set up with; null when that principal is gone, and then it is told nothing. `active_since`: events
-- before it are none of its business. Its secrets go with it, by the trigger below.
create table webhooks (
  id bigint generated always as identity primary key,
  project_id bigint references projects on delete cascade,
  url text not null,
  description text not null default '',
  -- Patterns over types without `dev.berth.`, such as manifest.*; all of what is set has to match.
  types text[] not null,
  path_glob text collate "C",
  tag_glob text collate "C",
  kinds text[],
  -- What an administrator has allowed for this URL, and whom its certificate may come from.
  http boolean not null default false,
  private_addresses boolean not null default false,
  ca text,
  secret_id bigint not null references secrets,
  -- Signs as well until then, after a rotation.
  previous_secret_id bigint references secrets,
  previous_secret_until timestamptz,
  owner_id bigint references principals on delete set null,
  owner_limits jsonb,
  active_since timestamptz not null default now(),
  disabled_at timestamptz,
  disabled_reason text check (disabled_reason in ('request', 'failing', 'gone')),
  -- The first failure since the last success.
  failing_since timestamptz,
  delivered_at timestamptz,
  -- The receiver asked to be left alone until then.
  paused_until timestamptz,
  -- Messages that went because too many waited, and events that the owner may not see, with when and why last.
  dropped bigint not null default 0,
  withheld bigint not null default 0,
  withheld_at timestamptz,
  withheld_reason text,
  created_at timestamptz not null default now(),
  check ((disabled_at is null) = (disabled_reason is null)),
  check ((previous_secret_id is null) = (previous_secret_until is null))
);
create index webhooks_by_project on webhooks (project_id, id);
create index webhooks_by_owner on webhooks (owner_id) where owner_id is not null;
create index webhooks_enabled on webhooks (id) where disabled_at is null;

create function webhook_secrets_go() returns trigger language plpgsql as $$
begin
  delete from secrets where id in (old.secret_id, old.previous_secret_id);
  return null;
end
$$;
create trigger webhook_secrets_go after delete on webhooks for each row execute function webhook_secrets_go();

-- One message for one hook, as it is sent. Written with the step of the cursor that made it, so that a hook has exactly one for each
-- event. Who delivers it claims it for a while; a claim that ran out is anybody's. A job removes what was over a month ago, or is not
-- among a hook's last thousand.
create table webhook_deliveries (
  id bigint generated always as identity primary key,
  webhook_id bigint not null references webhooks on delete cascade,
  -- The header webhook-id: the same over all attempts.
  message_id uuid not null default gen_random_uuid(),
  -- Null: somebody tries the hook out.
  event_id bigint,
  event_type text not null,
  -- Where it happened, to ask again whether the owner may see it.
  repository_id bigint,
  -- Whether it has what only owners of the project may see.
  whole boolean not null default false,
  payload text not null,
  state text not null default 'pending' check (state in ('pending', 'delivered', 'failed', 'dropped')),
  attempts int not null default 0,
  next_attempt_at timestamptz not null default now(),
  claimed_by uuid,
  claimed_until timestamptz,
  last_attempt_at timestamptz,
  last_status int,
  last_error text,
  last_duration_ms int,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  unique (webhook_id, event_id),
  check ((state = 'pending') = (finished_at is null))
);
create index webhook_deliveries_due on webhook_deliveries (webhook_id, next_attempt_at, id) where state = 'pending';
create index webhook_deliveries_by_hook on webhook_deliveries (webhook_id, id);
create index webhook_deliveries_by_state on webhook_deliveries (webhook_id, state, id);
create index webhook_deliveries_over on webhook_deliveries (finished_at) where finished_at is not null;
create index webhook_deliveries_claimed on webhook_deliveries (claimed_by) where claimed_by is not null;

-- There are no hooks yet, so what is over need not be looked at.
insert into event_consumers (name, xid, id) select 'webhooks', xid, id from event_consumers where name = 'audit';
