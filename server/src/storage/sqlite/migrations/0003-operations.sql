-- Keys that rotate with an overlap, the event-type catalogue, portal sessions, recoveries.

-- The value before a rotation works until its time; there is at most one.
alter table api_keys add column previous_hash text;
alter table api_keys add column previous_expires_at integer;
create unique index api_keys_by_previous_hash on api_keys (previous_hash)
  where previous_hash is not null;

create table event_types (
  seq integer primary key,
  -- Null: in the catalogue, for all projects.
  project_id text,
  name text not null,
  description text,
  -- JSON Schema, as it came.
  schema text,
  is_deprecated integer not null,
  created_at integer not null,
  updated_at integer not null
) strict;

create unique index event_types_by_name on event_types (coalesce(project_id, ''), name);

create table portal_sessions (
  seq integer primary key,
  id text not null unique,
  project_id text not null references projects (id),
  actor text not null,
  scopes text not null,
  hash text not null unique,
  created_by text not null,
  created_at integer not null,
  expires_at integer not null,
  revoked_at integer
) strict;

create index portal_sessions_by_expiry on portal_sessions (expires_at);

-- Deliveries of an endpoint that are being made due again, in small steps; done: the row is gone.
create table recoveries (
  seq integer primary key,
  endpoint_id text not null,
  -- Created from here on, and before there.
  since integer not null,
  until integer not null,
  statuses text not null,
  -- Where the next step begins.
  after_created_at integer not null,
  after_seq integer not null
) strict;
