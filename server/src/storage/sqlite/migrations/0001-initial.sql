-- Ids are text, as the API shows them. `seq` counts rows in the order of insertion: lists of
-- resources page by it, so that a clock that was set back never reorders them, and the hot tables
-- refer by it, which makes them a third smaller and a commit a seventh cheaper than ids would.

create table projects (
  seq integer primary key,
  id text not null unique,
  uid text,
  name text not null,
  settings text not null,
  created_at integer not null,
  updated_at integer not null,
  deleted_at integer
) strict;

-- A deleted resource gives its uid back.
create unique index projects_by_uid on projects (uid)
  where uid is not null and deleted_at is null;

create table api_keys (
  seq integer primary key,
  id text not null unique,
  project_id text not null references projects (id),
  name text not null,
  scopes text not null,
  dialect text,
  hint text not null,
  hash text not null unique,
  created_at integer not null,
  expires_at integer,
  revoked_at integer,
  last_used_at integer
) strict;

create index api_keys_by_project on api_keys (project_id);

create table endpoints (
  seq integer primary key,
  id text not null unique,
  project_id text not null references projects (id),
  uid text,
  url text not null,
  description text,
  event_types text not null,
  state text not null,
  blocked_at integer,
  blocked_reason text,
  signing_enabled integer not null,
  format text not null,
  algorithm text not null,
  header_names text not null,
  sealed_headers blob,
  metadata text not null,
  rate_limit_per_second real,
  created_by text not null,
  -- Url, description and uid in lower case, one a line: what a search looks through.
  search_text text not null,
  health text not null,
  consecutive_failures integer not null,
  last_success_at integer,
  last_failure_at integer,
  failing_since integer,
  created_at integer not null,
  updated_at integer not null,
  deleted_at integer
) strict;

create index endpoints_by_project on endpoints (project_id);
create unique index endpoints_by_uid on endpoints (project_id, uid)
  where uid is not null and deleted_at is null;

create table secrets (
  seq integer primary key,
  id text not null unique,
  project_id text not null,
  endpoint_id text not null references endpoints (id),
  algorithm text not null,
  sealed_value blob,
  hint text not null,
  fingerprint text not null,
  created_at integer not null,
  activates_at integer not null,
  expires_at integer,
  revoked_at integer,
  expiry_seen_at integer,
  last_signed_at integer
) strict;

create index secrets_by_endpoint on secrets (endpoint_id);

create table rotations (
  seq integer primary key,
  id text not null unique,
  project_id text not null,
  endpoint_id text not null references endpoints (id),
  previous_secret_id text not null,
  new_secret_id text not null,
  activates_at integer not null,
  previous_secret_expires_at integer,
  complete_when text not null,
  cap_at integer,
  dropped_secret_ids text not null,
  expiries_before text not null,
  reason text,
  actor text not null,
  notes text not null,
  outcome_status text,
  outcome_completed_by text,
  outcome_closed_at integer,
  created_at integer not null
) strict;

create index rotations_by_endpoint on rotations (endpoint_id);
create index rotations_open on rotations (endpoint_id) where outcome_status is null;

-- The hot tables have no foreign keys: a check would cost a look-up for every row, and this one
-- writer makes both sides together.

create table events (
  seq integer primary key,
  project_seq integer not null,
  id text not null,
  type text not null,
  timestamp text not null,
  metadata text not null,
  -- JSON, byte for byte as it came; null once it has been expunged.
  data text,
  delivery_count integer not null,
  -- The event's deliveries are the `delivery_count` rows from here on; null where there are none.
  first_delivery_seq integer,
  created_at integer not null
) strict;

-- Also what makes a caller's event ids unique.
create unique index events_by_id on events (project_seq, id);
create index events_by_project on events (project_seq, created_at);
-- For deliveries by event type: one entry an event costs less than one a delivery.
create index events_delivered_by_type on events (project_seq, type, created_at)
  where first_delivery_seq is not null;

create table deliveries (
  seq integer primary key,
  id text not null,
  project_seq integer not null,
  endpoint_seq integer not null,
  event_seq integer not null,
  status text not null,
  failure_reason text,
  attempt_count integer not null,
  series_attempt_count integer not null,
  -- When the next attempt is due; null once the status is final.
  due_at integer,
  last_status_code integer,
  last_error text,
  is_test integer not null,
  created_at integer not null,
  completed_at integer
) strict;

create unique index deliveries_by_id on deliveries (id);
create index deliveries_by_project on deliveries (project_seq, created_at);
create index deliveries_by_endpoint on deliveries (endpoint_seq, created_at);
-- The due schedule. Finished deliveries are not in it, so it stays as small as the backlog.
create index deliveries_pending on deliveries (endpoint_seq, due_at, created_at)
  where status = 'pending';
-- What did not arrive is rare and looked for often; a delivered event never touches these two.
create index deliveries_missed_by_project on deliveries (project_seq, status, created_at)
  where status = 'failed' or status = 'skipped';
create index deliveries_missed_by_endpoint on deliveries (endpoint_seq, status, created_at)
  where status = 'failed' or status = 'skipped';

create table attempts (
  seq integer primary key,
  id text not null,
  delivery_seq integer not null,
  number integer not null,
  started_at integer not null,
  duration_ms real not null,
  method text not null,
  url text not null,
  request_headers text not null,
  secret_ids text not null,
  -- The four of the response are null where there was none.
  status_code integer,
  response_headers text,
  response_body text,
  response_body_truncated integer,
  error text,
  error_detail text
) strict;

create index attempts_by_delivery on attempts (delivery_seq);

create table audit_rows (
  seq integer primary key,
  id text not null unique,
  project_id text,
  at integer not null,
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
) strict;

create index audit_rows_by_project on audit_rows (project_id, at);

create table idempotent_answers (
  scope text primary key,
  body_hash text not null,
  status_code integer not null,
  content_type text not null,
  body blob not null,
  is_sealed integer not null,
  created_at integer not null,
  expires_at integer not null
) strict, without rowid;

create index idempotent_answers_by_expiry on idempotent_answers (expires_at);

create table announcements (
  rotation_id text not null,
  secret_id text not null,
  kind text not null,
  at integer not null,
  project_id text not null,
  endpoint_id text not null,
  primary key (rotation_id, secret_id, kind)
) strict, without rowid;

create index announcements_by_time on announcements (at);
create index announcements_by_endpoint on announcements (endpoint_id);

-- The store's own notebook.
create table meta (
  key text primary key,
  value blob not null
) strict, without rowid;
