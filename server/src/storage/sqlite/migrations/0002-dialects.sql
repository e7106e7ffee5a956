-- The dialect that made an endpoint, and the public half of client credentials.

alter table endpoints add column dialect text;

alter table api_keys add column client_id text;
create unique index api_keys_by_client_id on api_keys (client_id) where client_id is not null;
