type Privilege = 'select' | 'insert' | 'update' | 'delete' | 'execute'

interface Grant {
  readonly kind: 'table' | 'function'
  /** A table, or a function with the types of its arguments. */
  readonly on: string
  readonly privileges: readonly Privilege[]
  /** Of a table that others may have put columns of their own into; all when left out. */
  readonly columns?: readonly string[]
}

const table = (on: string, ...privileges: Privilege[]): Grant => ({ kind: 'table', on, privileges })

/**
 * All that the server and operators' commands may do in the database (ASVS 13.2.2). They write neither the feed of ended
 * sessions nor its head: triggers do, with their owner's rights. Where rows are deleted in batches, PostgreSQL wants the
 * right to update for locking them.
 */
export const SERVER_GRANTS: readonly Grant[] = [
  table('keyward_migrations', 'select'),
  {
    kind: 'table',
    on: 'users',
    privileges: ['select', 'insert'],
    columns: ['id', 'email', 'name', 'password_hash', 'is_active', 'created_at', 'updated_at'],
  },
  {
    kind: 'table',
    on: 'users',
    privileges: ['update'],
    columns: ['name', 'password_hash', 'is_active', 'updated_at'],
  },
  table('users', 'delete'),
  table('keyward_sessions', 'select', 'insert', 'update', 'delete'),
  table('keyward_refresh_tokens', 'select', 'insert', 'update', 'delete'),
  table('keyward_revocation_head', 'select'),
  table('keyward_revocations', 'select', 'update', 'delete'),
  table('keyward_signing_keys', 'select', 'insert', 'update', 'delete'),
  table('keyward_password_attempts', 'select', 'insert', 'update', 'delete'),
  table('keyward_known_places', 'select', 'insert', 'update', 'delete'),
  {
    kind: 'function',
    on: 'keyward_take_attempt(timestamptz, timestamptz, jsonb)',
    privileges: ['execute'],
  },
  {
    kind: 'function',
    on: 'keyward_attempts_closed_until(bytea[], timestamptz)',
    privileges: ['execute'],
  },
]
