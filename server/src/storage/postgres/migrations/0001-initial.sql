-- The same things as beside SQLite, under the same names. What differs, and why, is in
-- docs/decisions/0037-postgres.md. Ids compare byte by byte, whatever the database's language.

create table projects (
  seq bigint generated always as identity unique,
  id text collate "C" primary key,
  uid text collate "C",
  name text not null,
  settings text not null,
  -- Counts the changes that decide who receives what, so that a node knows when to read it again.
  subscriptions_version bigint not null default 0,
  created_at bigint not null,
  updated_at bigint not null,
  deleted_at bigint
);

-- A deleted resource gives its uid back.
create unique index projects_by_uid on projects (uid)
  where uid is not null and deleted_at is null;

create table api_keys (
  seq bigint generated always as identity unique,
  id text collate "C" not null unique,
  project_id text collate "C" not null references projects (id),
  name text not null,
  scopes text not null,
  dialect text,
  client_id text collate "C",
  hint text not null,
  hash text collate "C" not null unique,
  -- The value before a rotation works until its time; there is at most one.
  previous_hash text collate "C",
  previous_expires_at bigint,
  created_at bigint not null,
  expires_at bigint,
  revoked_at bigint,
  last_used_at bigint,
  primary key (project_id, id)
);

create index api_keys_by_project on api_keys (project_id, seq);
create unique index api_keys_by_client_id on api_keys (client_id) where client_id is not null;
create unique index api_keys_by_previous_hash on api_keys (previous_hash)
  where previous_hash is not null;

create table endpoints (
  seq bigint generated always as identity unique,
  id text collate "C" not null unique,
  project_id text collate "C" not null references projects (id),
  uid text collate "C",
  url text not null,
  description text,
  event_types text not null,
  state text not null,
  blocked_at bigint,
  blocked_reason text,
  signing_enabled boolean not null,
  format text not null,
  header_names text not null,
  sealed_headers bytea,
  metadata text not null,
  rate_limit_per_second double precision,
  created_by text not null,
  dialect text,
  unverifying_since bigint,
  -- Url, description and uid in lower case, one a line: what a search looks through.
  search_text text not null,
  created_at bigint not null,
  updated_at bigint not null,
  deleted_at bigint,
  primary key (project_id, id)
);

create index endpoints_by_project on endpoints (project_id, seq);
create unique index endpoints_by_uid on endpoints (project_id, uid)
  where uid is not null and deleted_at is null;

-- Apart from the endpoint: it changes with every batch of results, which must not meet with edits.
create table endpoint_health (
  endpoint_id text collate "C" primary key references endpoints (id),
  health text not null,
  consecutive_failures bigint not null,
  last_success_at bigint,
  last_failure_at bigint,
  failing_since bigint,
  rejections_in_a_row bigint not null,
  rejecting_since bigint,
  last_rejection_at bigint
) with (fillfactor = 50);

create table secrets (
  seq bigint generated always as identity unique,
  id text collate "C" not null unique,
  project_id text collate "C" not null,
  endpoint_id text collate "C" not null references endpoints (id),
  algorithm text not null,
  sealed_value bytea,
  -- The public half of a key pair is no secret, so it is kept in clear.
  public_key text,
  hint text not null,
  fingerprint text not null,
  created_at bigint not null,
  activates_at bigint not null,
  expires_at bigint,
  revoked_at bigint,
  expiry_seen_at bigint,
  -- When the policy last told of the secret, or tried to rotate it.
  over_age_told_at bigint,
  primary key (project_id, id)
);

create index secrets_by_endpoint on secrets (endpoint_id);
-- The newest secret of each endpoint: the one that is not set to end.
create index secrets_by_age on secrets (created_at, seq)
  where revoked_at is null and expires_at is null;

-- Apart from the secret: it is noted with results, which must not meet with rotations.
create table secret_uses (
  secret_id text collate "C" primary key,
  last_signed_at bigint not null
) with (fillfactor = 50);

create table rotations (
  seq bigint generated always as identity unique,
  id text collate "C" not null unique,
  project_id text collate "C" not null,
  endpoint_id text collate "C" not null references endpoints (id),
  previous_secret_id text collate "C" not null,
  new_secret_id text collate "C" not null,
  activates_at bigint not null,
  previous_secret_expires_at bigint,
  -- When the window was asked to end; the previous secret may sign beyond it. Null: it was cut, or
  -- waits for a claim, and then has seconds that count from the claim.
  window_ends_at bigint,
  unclaimed_window_seconds bigint,
  complete_when text not null,
  cap_at bigint,
  held_at bigint,
  attention text,
  evidence text,
  watch text not null,
  -- The watch's `nextAt`, for finding what is due.
  next_look_at bigint,
  campaign_id text collate "C",
  dropped_secret_ids text not null,
  expiries_before text not null,
  reason text,
  actor text not null,
  notes text not null,
  outcome_status text,
  outcome_completed_by text,
  outcome_closed_at bigint,
  created_at bigint not null,
  primary key (project_id, id)
);

create index rotations_by_endpoint on rotations (endpoint_id, seq);
create index rotations_open on rotations (endpoint_id, seq) where outcome_status is null;
create index rotations_by_next_look on rotations (next_look_at) where next_look_at is not null;
-- Each endpoint once, whatever the code above believes.
create unique index rotations_by_campaign on rotations (campaign_id, endpoint_id)
  where campaign_id is not null;

create table reported_secrets (
  rotation_id text collate "C" not null references rotations (id),
  secret_id text collate "C" not null,
  count bigint not null,
  last_at bigint not null,
  primary key (rotation_id, secret_id)
);

-- Links by which a new secret is fetched once. The token is not here, only its hash.
create table claim_links (
  hash text collate "C" primary key,
  project_id text collate "C" not null references projects (id),
  endpoint_id text collate "C" not null references endpoints (id),
  -- A rotation has one link at a time: a new one takes the place of the one before.
  rotation_id text collate "C" not null unique references rotations (id),
  created_at bigint not null,
  claimed_at bigint,
  disputed_at bigint
);

create table event_types (
  seq bigint generated always as identity unique,
  -- Empty: in the catalogue, for all projects.
  project_id text collate "C" not null,
  name text collate "C" not null,
  description text,
  -- JSON Schema, as it came.
  schema text,
  is_deprecated boolean not null,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (project_id, name)
);

create index event_types_by_project on event_types (project_id, seq);

create table portal_sessions (
  seq bigint generated always as identity unique,
  id text collate "C" not null unique,
  project_id text collate "C" not null references projects (id),
  actor text not null,
  scopes text not null,
  hash text collate "C" not null unique,
  created_by text not null,
  -- Null where no key's value opened it: the root key, or an access token.
  key_hash text,
  created_at bigint not null,
  expires_at bigint not null,
  revoked_at bigint,
  primary key (project_id, id)
);

create index portal_sessions_by_expiry on portal_sessions (expires_at);

create table campaigns (
  seq bigint generated always as identity unique,
  id text collate "C" primary key,
  status text not null,
  -- JSON: which endpoints, and how each is rotated.
  filter text not null,
  rotation text not null,
  per_minute bigint not null,
  -- Milliseconds with fractions: the pace is kept to the fraction.
  next_at double precision not null,
  actor text not null,
  created_at bigint not null,
  updated_at bigint not null,
  closed_at bigint
);

create index campaigns_running on campaigns (next_at) where status = 'running';

-- One row for each endpoint of a campaign, all made with it. `seq` is the order of the work.
create table campaign_endpoints (
  seq bigint generated always as identity unique,
  campaign_id text collate "C" not null references campaigns (id),
  project_id text collate "C" not null,
  endpoint_id text collate "C" not null references endpoints (id),
  state text collate "C" not null,
  rotation_id text,
  refusal_code text,
  refusal_detail text,
  next_try_at bigint,
  updated_at bigint not null,
  primary key (campaign_id, endpoint_id)
);

create index campaign_endpoints_by_seq on campaign_endpoints (campaign_id, seq);
-- Also the count of each state.
create index campaign_endpoints_by_state
  on campaign_endpoints (campaign_id, state, next_try_at, seq);

-- Deliveries of an endpoint that are being made due again, in small steps; done: the row is gone.
create table recoveries (
  seq bigint generated always as identity primary key,
  endpoint_id text collate "C" not null,
  -- Created from here on, and before there.
  since bigint not null,
  until bigint not null,
  statuses text not null,
  -- Where the next step begins.
  after_created_at bigint not null,
  after_seq bigint not null
);

create table audit_rows (
  seq bigint generated always as identity primary key,
  id text collate "C" not null unique,
  project_id text collate "C",
  at bigint not null,
  action text not null,
  actor_type text not null,
  actor_id text,
  actor_name text,
  target_type text not null,
  target_id text not null,
  reason text,
  request_id text,
  source_address text,
  details text not null
);

create index audit_rows_by_project on audit_rows (project_id, at, seq);

create table idempotent_answers (
  scope text collate "C" primary key,
  body_hash text not null,
  status_code bigint not null,
  content_type text not null,
  -- A JSON object.
  headers text not null,
  body bytea not null,
  is_sealed boolean not null,
  created_at bigint not null,
  expires_at bigint not null
);

create index idempotent_answers_by_expiry on idempotent_answers (expires_at);

create table announcements (
  rotation_id text collate "C" not null,
  secret_id text collate "C" not null,
  kind text collate "C" not null,
  at bigint not null,
  project_id text collate "C" not null,
  endpoint_id text collate "C" not null,
  primary key (rotation_id, secret_id, kind)
);

create index announcements_by_time on announcements (at, rotation_id, secret_id, kind);
create index announcements_by_endpoint on announcements (endpoint_id);

-- The store's own notebook.
create table meta (
  key text collate "C" primary key,
  value bytea not null
);

-- Holds nothing: transactions that must be in order lock it, see writer.ts.
create table unit_order ();
