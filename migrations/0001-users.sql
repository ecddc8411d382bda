-- Accounts. A `users` table that another stack made is left as it is (see src/db/adopt-users-table.ts).
create table if not exists users (
  id uuid primary key,
  email text not null,
  name text not null,
  password_hash text not null,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- One account per address in any letter case, and the index that every login uses. "C" makes lower() the same on
-- every server: it folds ASCII only, and addresses written by Keyward are already lower-case.
create unique index if not exists keyward_users_email on users (lower(email collate "C"));
