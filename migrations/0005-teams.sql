-- Teams: principals of kind `team` whose rights their members have, too. A change of membership raises the member's epoch.
create table team_members (
  team_id bigint not null references principals on delete cascade,
  member_id bigint not null references principals on delete cascade,
  -- Who says so: an administrator, or the sign-in through which the group came (which takes only its own back).
  source text not null default 'local',
  created_at timestamptz not null default now(),
  primary key (team_id, member_id, source)
);
create index team_members_by_member on team_members (member_id);
