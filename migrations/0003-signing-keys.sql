-- Key pairs that sign access tokens. A row holds the times by which every node knows what to do, so nobody has to act at
-- the right moment (docs/decisions/0007-keys.md). Whoever changes rows holds this table in share row exclusive mode.
create table keyward_signing_keys (
  -- RFC 7638 thumbprint of the public key.
  kid text primary key check (kid ~ '^[A-Za-z0-9_-]{43}$'),
  algorithm text not null check (algorithm in ('EdDSA', 'ES256', 'RS256')),
  -- PKCS #8 under AES-256-GCM; the public key is computed from it.
  sealed_private_key bytea not null,
  created_at timestamptz not null default now(),
  -- It signs until the turn of the next one of its algorithm begins.
  signs_from timestamptz not null,
  -- Life of the longest-lived token that any node may have signed with it: so long it verifies after that.
  longest_token_seconds integer not null
);

-- What the function below runs with: see 0002.
select set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

create function keyward_announce_signing_keys() returns trigger
language plpgsql set search_path from current as $$
begin
  perform pg_notify('keyward_signing_keys', '');
  return null;
end
$$;

create trigger keyward_signing_keys_changed
  after insert or update or delete or truncate on keyward_signing_keys
  for each statement execute function keyward_announce_signing_keys();

revoke execute on function keyward_announce_signing_keys() from public;
