type Privilege = 'select' | 'insert' | 'update' | 'delete' | 'execute'

interface Grant {
  readonly kind: 'table' | 'function'
  /** A table, or a function with the types of its arguments. */
  readonly on: string
  readonly privileges: readonly Privilege[]
  /** Of a table; all when left out. */
  readonly columns?: readonly string[]
}

const table = (on: string, ...privileges: Privilege[]): Grant => ({ kind: 'table', on, privileges })

const columnsOf = (on: string, columns: readonly string[], ...privileges: Privilege[]): Grant => ({
  ...table(on, ...privileges),
  columns,
})

const ACCOUNT = ['id', 'email', 'name', 'password_hash', 'is_active', 'created_at', 'updated_at']

/**
 * All that the server and operators' commands may do in the database (ASVS 13.2.2). They add nothing to the feed of ended
 * sessions, nor do they move its head: triggers do, with their owner's rights. Where rows are only ever deleted, in
 * batches, PostgreSQL wants a right to update for locking them: one column is enough, and none that matters.
 */
export const SERVER_GRANTS: readonly Grant[] = [
  table('keyward_migrations', 'select'),
  columnsOf('users', ACCOUNT, 'select', 'insert'),
  columnsOf('users', ['name', 'password_hash', 'is_active', 'updated_at'], 'update'),
  table('users', 'delete'),
  table('keyward_sessions', 'select', 'insert', 'update', 'delete'),
  table('keyward_refresh_tokens', 'select', 'insert', 'delete'),
  columnsOf('keyward_refresh_tokens', ['created_at'], 'update'),
  table('keyward_revocation_head', 'select'),
  table('keyward_revocations', 'select', 'delete'),
  columnsOf('keyward_revocations', ['expires_at'], 'update'),
  table('keyward_signing_keys', 'select', 'insert', 'update', 'delete'),
  table('keyward_password_attempts', 'select', 'insert', 'update', 'delete'),
  table('keyward_known_places', 'select', 'insert', 'update', 'delete'),
  table('keyward_generated_passwords', 'select', 'insert', 'delete'),
  columnsOf('keyward_generated_passwords', ['generated_hash'], 'update'),
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
