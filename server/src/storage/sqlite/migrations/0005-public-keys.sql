-- Ed25519: the public half of a key pair is no secret, so it is kept in clear.

alter table secrets add column public_key text;

-- What an endpoint signs with is the algorithm of its current secret, which time alone may change.
alter table endpoints drop column algorithm;
