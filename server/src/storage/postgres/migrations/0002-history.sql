-- The history, a partition for each week of the event's acceptance: the rows of one event lie in
-- the partitions of one week and go together. The hot tables have no foreign keys: a check would
-- cost a look-up for every row.

-- A node takes numbers a thousand at a time, so that it knows them before it writes.
create sequence event_seqs increment by 1000;
create sequence delivery_seqs increment by 1000;
create sequence lease_tokens increment by 1000;

create table events (
  project_seq bigint not null,
  created_at bigint not null,
  seq bigint not null,
  delivery_count bigint not null,
  id text collate "C" not null,
  type text collate "C" not null,
  timestamp text not null,
  metadata text not null,
  -- JSON, byte for byte as it came; null once it has been expunged.
  data text,
  primary key (project_seq, created_at, seq)
) partition by range (created_at);

create index events_by_id on events (project_seq, id);
-- For deliveries by event type: one entry an event costs less than one a delivery.
create index events_delivered_by_type on events (project_seq, type, created_at, seq)
  where delivery_count > 0;

-- What makes a caller's event ids unique, for as long as the event is kept: no index over all
-- partitions can.
create table caller_event_ids (
  project_seq bigint not null,
  id text collate "C" not null,
  created_at bigint not null,
  seq bigint not null,
  primary key (project_seq, id)
);

-- Written in the order of time, so that a summary of ranges finds what a dropped week held.
create index caller_event_ids_by_time on caller_event_ids using brin (created_at);

create table deliveries (
  project_seq bigint not null,
  -- Of the event.
  created_at bigint not null,
  seq bigint not null,
  endpoint_seq bigint not null,
  event_seq bigint not null,
  completed_at bigint,
  last_duration_ms double precision,
  attempt_count integer not null default 0,
  series_attempt_count integer not null default 0,
  last_status_code integer,
  is_test boolean not null,
  id text collate "C" not null,
  status text not null,
  -- The status once more where it is failed or skipped. A delivered one never has it, so that its
  -- update touches no indexed column and no index.
  missed text,
  failure_reason text,
  last_error text,
  primary key (project_seq, created_at, seq)
) partition by range (created_at);

create index deliveries_by_id on deliveries (id);
create index deliveries_by_endpoint on deliveries (endpoint_seq, created_at, seq);
-- What did not arrive is rare and looked for often; a delivered event never touches these two.
create index deliveries_missed_by_project on deliveries (project_seq, missed, created_at, seq)
  where missed is not null;
create index deliveries_missed_by_endpoint on deliveries (endpoint_seq, missed, created_at, seq)
  where missed is not null;

create table attempts (
  project_seq bigint not null,
  -- Of the event.
  created_at bigint not null,
  delivery_seq bigint not null,
  number integer not null,
  status_code integer,
  started_at bigint not null,
  duration_ms double precision not null,
  response_body_truncated boolean,
  id text not null,
  method text not null,
  url text not null,
  request_headers text not null,
  secret_ids text not null,
  -- The four of the response are null where there was none.
  response_headers text,
  -- As bytes: a receiver may answer with characters that text cannot hold.
  response_body bytea,
  error text,
  error_detail text,
  primary key (project_seq, created_at, delivery_seq, number)
) partition by range (created_at);

-- Everything that is pending, and nothing else, with all that a claim must know: claims never look
-- at the history. Rows are inserted, leased and deleted all the time, in a table that stays as small
-- as the backlog; it is cleaned often, and leases change no indexed column.
create table due_deliveries (
  project_seq bigint not null,
  seq bigint not null,
  endpoint_seq bigint not null,
  due_at bigint not null,
  -- By the clock of this database; 0: nobody has it.
  lease_until bigint not null,
  lease_token bigint not null,
  created_at bigint not null,
  event_seq bigint not null,
  attempt_count integer not null,
  series_attempt_count integer not null,
  is_test boolean not null,
  id text collate "C" not null,
  primary key (project_seq, seq)
) with (
  fillfactor = 70,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_scale_factor = 0.05
);

create index due_deliveries_by_endpoint on due_deliveries (endpoint_seq, due_at, seq);

-- Milliseconds since the epoch, by the one clock that all nodes have in common.
create function store_now() returns bigint language sql stable parallel safe
  return (extract(epoch from statement_timestamp()) * 1000)::bigint;
