-- Which kinds of password hashes there are, found without reading the table: every refused log-in does the work of each
-- (docs/decisions/0010-equal-work.md). The expression must stay that in src/accounts/sql.ts.
create index keyward_users_hash_kind on users (
  (substring(password_hash from '^(\$2[aby]\$\d\d|\$bcrypt-sha256\$[^$]+|\$argon2id\$v=19\$[^$]+)\$') collate "C")
);
