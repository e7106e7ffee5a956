-- The value of the key that opened a portal session; headers of kept answers.

-- Null where no key's value opened it: the root key, or an access token.
alter table portal_sessions add column key_hash text;
-- A JSON object; null in answers that were kept before there was this column.
alter table idempotent_answers add column headers text;
