-- Links by which a new secret is fetched once. The token is not here, only its hash.

create table claim_links (
  hash text primary key,
  project_id text not null references projects (id),
  endpoint_id text not null references endpoints (id),
  -- A rotation has one link at a time: a new one takes the place of the one before.
  rotation_id text not null unique references rotations (id),
  created_at integer not null,
  claimed_at integer,
  disputed_at integer
) strict, without rowid;
