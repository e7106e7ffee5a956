-- What nodes agree on beside the data. Not part of any transaction.

-- Who does what is to be done once for all nodes; a row is a lease by the store's clock.
create table leads (
  job text collate "C" primary key,
  node_id text not null,
  ends_at timestamptz not null
);

-- Limits that all nodes share. After a crash they begin anew, so nothing is written ahead for them.
create unlogged table token_buckets (
  name text collate "C" primary key,
  tokens double precision not null,
  -- By the last question: an update cannot return what was there before.
  taken double precision not null,
  at timestamptz not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

create index token_buckets_by_at on token_buckets (at);
