-- The fleet by the age of its secrets, and campaigns that rotate it.

-- When the policy last told of the secret, or tried to rotate it.
alter table secrets add column over_age_told_at integer;

-- The newest secret of each endpoint: the one that is not set to end.
create index secrets_by_age on secrets (created_at)
  where revoked_at is null and expires_at is null;

create table campaigns (
  seq integer primary key,
  id text not null unique,
  status text not null,
  -- JSON: which endpoints, and how each is rotated.
  filter text not null,
  rotation text not null,
  per_minute integer not null,
  -- Milliseconds with fractions: the pace is kept to the fraction.
  next_at real not null,
  actor text not null,
  created_at integer not null,
  updated_at integer not null,
  closed_at integer
) strict;

create index campaigns_running on campaigns (next_at) where status = 'running';

-- One row for each endpoint of a campaign, all made with it. `seq` is the order of the work.
create table campaign_endpoints (
  seq integer primary key,
  campaign_id text not null references campaigns (id),
  project_id text not null,
  endpoint_id text not null references endpoints (id),
  state text not null,
  rotation_id text,
  refusal_code text,
  refusal_detail text,
  next_try_at integer,
  updated_at integer not null
) strict;

create unique index campaign_endpoints_by_endpoint on campaign_endpoints (campaign_id, endpoint_id);
-- Also the count of each state.
create index campaign_endpoints_by_state on campaign_endpoints (campaign_id, state, next_try_at);

-- Each endpoint once, whatever the code above believes.
create unique index rotations_by_campaign on rotations (campaign_id, endpoint_id)
  where campaign_id is not null;
