-- Passwords that Keyward has generated, each until its owner changes it. A row counts only while the hash beside the
-- account is still this one: another service on the same table may set a password without knowing of this table.
create table keyward_generated_passwords (
  user_id uuid primary key references users (id) on delete cascade,
  generated_hash text not null,
  -- The row outlives it: without the row, the password would be good for ever.
  expires_at timestamptz not null
);
