-- Failed attempts at passwords, counted for all nodes, and the places from which accounts have been logged in to. The
-- figures come with each call (src/attempts/limits.ts); the keys are HMACs, so no address rests here.

create table keyward_password_attempts (
  key bytea primary key,
  -- Holds the number of failures: each moves it on by the time after which one is forgotten.
  forgotten_at timestamptz not null,
  -- When the last attempt was counted, and before when there is no other.
  counted_at timestamptz not null,
  open_at timestamptz not null
);

create index keyward_password_attempts_forgotten on keyward_password_attempts (forgotten_at);

create table keyward_known_places (
  key bytea primary key,
  last_login_at timestamptz not null
);

create index keyward_known_places_age on keyward_known_places (last_login_at);

-- What the functions below run with; temporary tables come last.
select set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

-- Null when all of these are open. Who counted in the future had a clock that has been set back since, and no wait may
-- last for as long as it was wrong; a minute is for clocks of nodes that differ.
create function keyward_attempts_closed_until(keys bytea[], moment timestamptz) returns timestamptz
language sql set search_path from current as $$
  select max(open_at) from keyward_password_attempts
   where key = any(keys) and open_at > moment and counted_at < moment + interval '1 minute'
$$;

-- Counts an attempt as failed before it is made, in all of its buckets or, when one of them is closed, in none. Each
-- bucket is {"key": hex, "waits": [seconds after the 1st, 2nd … failure], "forgets_after": seconds}; the first is that
-- of account and address together, and alone where the account has been logged in to from there.
create function keyward_take_attempt(
  moment timestamptz, known_since timestamptz, buckets jsonb,
  out closed_until timestamptz, out known boolean
)
language plpgsql set search_path from current as $$
declare
  place constant bytea := decode(buckets -> 0 ->> 'key', 'hex');
  keys bytea[];
begin
  known := exists (select from keyward_known_places where key = place and last_login_at > known_since);
  keys := case when known then array[place]
          else array(select decode(bucket ->> 'key', 'hex') from jsonb_array_elements(buckets) as bucket) end;

  -- First without locks and rows: being refused must be cheap.
  closed_until := keyward_attempts_closed_until(keys, moment);
  if closed_until is not null then return; end if;

  -- Makes rows where there are none and locks all, in one order for everybody.
  insert into keyward_password_attempts (key, forgotten_at, counted_at, open_at)
  select key, moment, moment, moment from unnest(keys) as key order by key
  on conflict (key) do update set key = excluded.key where false;

  closed_until := keyward_attempts_closed_until(keys, moment);
  if closed_until is not null then return; end if;

  update keyward_password_attempts as attempt
     set forgotten_at = moment + failures * forgets_after * interval '1 second',
         counted_at = moment,
         open_at = moment + waits[ceil(failures)::integer] * interval '1 second'
    from (
      select held.key, waits, forgets_after, least(array_length(waits, 1), 1 + greatest(0,
               extract(epoch from forgotten_at - greatest(counted_at, moment)) / forgets_after)) as failures
        from jsonb_to_recordset(buckets) as bucket (key text, waits integer[], forgets_after integer)
        join keyward_password_attempts as held on held.key = decode(bucket.key, 'hex')
       where held.key = any(keys)
    ) as counted
   where attempt.key = counted.key;
end
$$;

revoke execute on function keyward_attempts_closed_until(bytea[], timestamptz),
  keyward_take_attempt(timestamptz, timestamptz, jsonb) from public;
