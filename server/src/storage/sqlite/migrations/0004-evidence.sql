-- Rotations that are proven, held and watched; what receivers report of the secrets they use.

-- When the window was asked to end; the previous secret may sign beyond it. Null: it was cut, or
-- waits for a claim, and then has seconds that count from the claim.
alter table rotations add column window_ends_at integer;
alter table rotations add column unclaimed_window_seconds integer;
alter table rotations add column held_at integer;
alter table rotations add column attention text;
-- JSON.
alter table rotations add column evidence text;
alter table rotations add column watch text not null
  default '{"nextAt":null,"lookedAt":null,"looks":0,"spike":null}';
-- The watch's `nextAt`, for finding what is due.
alter table rotations add column next_look_at integer;
alter table rotations add column campaign_id text;

update rotations set window_ends_at = previous_secret_expires_at where outcome_status is null;

create index rotations_by_next_look on rotations (next_look_at) where next_look_at is not null;

alter table endpoints add column unverifying_since integer;
alter table endpoints add column rejections_in_a_row integer not null default 0;
alter table endpoints add column rejecting_since integer;
alter table endpoints add column last_rejection_at integer;

create table reported_secrets (
  rotation_id text not null references rotations (id),
  secret_id text not null,
  count integer not null,
  last_at integer not null,
  primary key (rotation_id, secret_id)
) strict, without rowid;
