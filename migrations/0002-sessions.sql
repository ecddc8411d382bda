-- Sessions, refresh tokens, and the feed that tells every node which sessions have ended.
-- Locks are taken in one order everywhere: users, keyward_sessions, keyward_revocation_head.

create table keyward_sessions (
  id uuid primary key,
  user_id uuid not null references users (id) on delete cascade,
  created_at timestamptz not null,
  -- Coarse: written at log-in, at refresh and in batches, never per request.
  last_seen_at timestamptz not null,
  -- Without use until then, the session cannot be refreshed any more.
  idle_expires_at timestamptz not null,
  -- Never moves.
  expires_at timestamptz not null,
  -- When the last access token of this session expires; never after the session itself.
  access_expires_at timestamptz not null,
  ended_at timestamptz,
  end_reason text,
  address text not null,
  user_agent text not null,
  -- SHA-256 of the refresh token that is good now, of the one before it, and when the one replaced the other.
  refresh_hash bytea not null,
  parent_hash bytea,
  rotated_at timestamptz,
  -- The current token sealed under a key that only its parent yields: nothing usable rests here.
  sealed_refresh bytea
);

create index keyward_sessions_user on keyward_sessions (user_id) where ended_at is null;
create index keyward_sessions_expired on keyward_sessions (expires_at);
create index keyward_sessions_ended on keyward_sessions (access_expires_at) where ended_at is not null;

-- Every refresh token ever given to a session, by its hash: one that is not the session's current one has been used.
create table keyward_refresh_tokens (
  token_hash bytea primary key,
  session_id uuid not null references keyward_sessions (id) on delete cascade,
  created_at timestamptz not null
);

create index keyward_refresh_tokens_session on keyward_refresh_tokens (session_id);
create index keyward_refresh_tokens_age on keyward_refresh_tokens (created_at);

-- The feed: append-only, read in order after a sequence number. The number comes from a row that stays locked until
-- the transaction commits, so numbers become visible in their order and without a gap; a sequence would not do that.
create table keyward_revocation_head (
  only_row boolean primary key default true check (only_row),
  last_seq bigint not null
);

insert into keyward_revocation_head (last_seq) values (0);

create table keyward_revocations (
  seq bigint primary key,
  session_id uuid not null,
  -- Every access token of the session has expired by then.
  expires_at timestamptz not null
);

create index keyward_revocations_expiry on keyward_revocations (expires_at);

-- What the functions below run with. Temporary tables come last: else whoever may touch only users could put tables of
-- their own, with triggers that run as the owner, in front of these.
select set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

-- The only door out. Whoever ends or deletes a session - Keyward, another service on the same tables, an operator in
-- psql - appends to the feed in the same transaction. It runs with its owner's rights and schema, because the caller
-- may know only the users table.
create function keyward_revoke_session() returns trigger
language plpgsql security definer set search_path from current as $$
declare
  next_seq bigint;
begin
  update keyward_revocation_head set last_seq = last_seq + 1 returning last_seq into next_seq;
  insert into keyward_revocations (seq, session_id, expires_at) values (next_seq, old.id, old.access_expires_at);
  perform pg_notify('keyward_revocations', '');
  return null;
end
$$;

create trigger keyward_session_ended
  after update on keyward_sessions
  for each row when (old.ended_at is null and new.ended_at is not null)
  execute function keyward_revoke_session();

-- With the same margin for clocks that differ as everywhere else.
create trigger keyward_session_deleted
  after delete on keyward_sessions
  for each row when (old.ended_at is null and old.access_expires_at > now() - interval '1 hour')
  execute function keyward_revoke_session();

-- No row trigger runs when a table is emptied at once, so the sessions end before that.
create function keyward_end_all_sessions() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  update keyward_sessions set ended_at = now(), end_reason = 'truncated' where ended_at is null;
  return null;
end
$$;

create trigger keyward_sessions_truncated
  before truncate on keyward_sessions
  for each statement execute function keyward_end_all_sessions();

-- Disabling an account ends its sessions, whoever does it. Deleting it does so by the cascade above. A transaction that
-- sees an older state than this one's moment would miss a session that opened meanwhile: it has to be refused.
create function keyward_end_sessions_of_disabled() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'accounts with sessions can be disabled in transactions of isolation level read committed only'
      using errcode = 'feature_not_supported';
  end if;
  update keyward_sessions set ended_at = now(), end_reason = 'account_disabled'
   where id in (select id from keyward_sessions where user_id = new.id and ended_at is null order by id for update);
  return null;
end
$$;

create trigger keyward_account_disabled
  after update on users
  for each row when (old.is_active and not new.is_active)
  execute function keyward_end_sessions_of_disabled();

-- They are for these triggers alone: else anybody could attach them to a table of their own.
revoke execute on function keyward_revoke_session(), keyward_end_all_sessions(), keyward_end_sessions_of_disabled()
  from public;
