import type { Queryable } from './database.js'

const TEXT = ['text', 'character varying']
const TIMESTAMP = ['timestamp without time zone', 'timestamp with time zone']

/** Column → the types under which Keyward can use it. */
const REQUIRED_COLUMNS: Readonly<Record<string, readonly string[]>> = {
  id: ['uuid'],
  email: TEXT,
  name: TEXT,
  password_hash: TEXT,
  is_active: ['boolean'],
  created_at: TIMESTAMP,
  updated_at: TIMESTAMP,
}

const REFUSED = 'There is a users table here that Keyward cannot share; it was left untouched:'

/** Characters that Keyward may write into a text column; a narrower `varchar` is widened. */
const NEEDED_LENGTH: Readonly<Record<string, number>> = { email: 254, name: 200, password_hash: 255 }

interface Column {
  readonly name: string
  /** Without its length or precision. */
  readonly type: string
  readonly max_length: number | null
  /** As it stands in SQL. */
  readonly collation: string
  readonly is_nullable: boolean
  readonly has_default: boolean
}

/**
 * Looks at a `users` table that is there before Keyward's first migration, as the Python stack (SQLModel) makes
 * it, and makes it usable for both. Returns false where there is none. Throws, and so leaves everything untouched,
 * when the table is another one; the message names each difference.
 */
export async function adoptUsersTable(transaction: Queryable): Promise<boolean> {
  const [table] = await transaction.query<{ kind: string | null }>(
    `select (select relkind from pg_class where oid = to_regclass('users'))::text as kind`,
  )
  if (!table?.kind) return false
  const columns = await readColumns(transaction)
  const differences =
    table.kind === 'r'
      ? [
          ...(await compareRights(transaction)),
          ...compareColumns(columns),
          ...(await comparePrimaryKey(transaction)),
          ...(await findAmbiguousAddresses(transaction, columns)),
        ]
      : ['it is not an ordinary table']
  if (differences.length > 0) {
    const list = differences.map((difference) => `  - ${difference}`).join('\n')
    throw new Error(`${REFUSED}\n${list}`)
  }
  await widenColumns(transaction, columns)
  return true
}

function readColumns(transaction: Queryable): Promise<Column[]> {
  return transaction.query<Column>(`
    select attname as name,
           regexp_replace(format_type(atttypid, atttypmod), '\\(\\d+\\)', '') as type,
           case when atttypid = 'varchar'::regtype and atttypmod > 4 then atttypmod - 4 end as max_length,
           coalesce(nullif(attcollation, 0)::regcollation::text, '"default"') as collation,
           not attnotnull as is_nullable,
           (atthasdef or attidentity <> '') as has_default
      from pg_attribute
     where attrelid = to_regclass('users') and attnum > 0 and not attisdropped`)
}

function compareColumns(columns: readonly Column[]): string[] {
  const differences: string[] = []
  for (const [name, types] of Object.entries(REQUIRED_COLUMNS)) {
    const column = columns.find((candidate) => candidate.name === name)
    if (!column) differences.push(`column ${name} is missing`)
    else if (!types.includes(column.type)) {
      differences.push(`column ${name} is ${column.type}, expected ${types.join(' or ')}`)
    } else if (column.is_nullable) differences.push(`column ${name} may be null`)
  }
  for (const column of columns) {
    const isFilledByKeyward = Object.hasOwn(REQUIRED_COLUMNS, column.name)
    if (!isFilledByKeyward && !column.is_nullable && !column.has_default) {
      differences.push(`column ${column.name} must be filled, and Keyward does not know it`)
    }
  }
  return differences
}

/** Only its owner can add the index and the trigger that Keyward needs, and both look for it in one schema. */
async function compareRights(transaction: Queryable): Promise<string[]> {
  const [table] = await transaction.query<TableRights>(`
    select pg_get_userbyid(relowner) as owner, pg_has_role(relowner, 'USAGE') as is_mine,
           relnamespace::regnamespace::text as schema, current_schema() as own_schema, relrowsecurity as has_policies
      from pg_class where oid = to_regclass('users')`)
  if (!table) return []
  const { owner, is_mine, schema, own_schema, has_policies } = table
  return [
    ...(is_mine ? [] : [`it belongs to the role ${owner}: run "keyward migrate" once as that role`]),
    ...(schema === own_schema
      ? []
      : [`it is in the schema ${schema}, but new tables here go to ${own_schema}`]),
    ...(has_policies ? ['it has row level security'] : []),
  ]
}

interface TableRights {
  readonly owner: string
  readonly is_mine: boolean
  readonly schema: string
  readonly own_schema: string | null
  readonly has_policies: boolean
}

async function comparePrimaryKey(transaction: Queryable): Promise<string[]> {
  const keys = await transaction.query<{ name: string }>(`
    select attname as name
      from pg_index join pg_attribute on attrelid = indrelid and attnum = any(indkey)
     where indrelid = to_regclass('users') and indisprimary`)
  return keys.length === 1 && keys[0]?.name === 'id' ? [] : ['the primary key is not id']
}

async function findAmbiguousAddresses(transaction: Queryable, columns: readonly Column[]): Promise<string[]> {
  const email = columns.find(({ name }) => name === 'email')
  if (!email || !TEXT.includes(email.type)) return []
  const [row] = await transaction.query<{ ambiguous: number }>(`
    select count(*)::int as ambiguous
      from (select 1 from users group by lower(email collate "C") having count(*) > 1) as doubled`)
  const count = row?.ambiguous ?? 0
  return count === 0 ? [] : [`${count} e-mail address(es) stand more than once when letter case is ignored`]
}

async function widenColumns(transaction: Queryable, columns: readonly Column[]): Promise<void> {
  for (const { name, max_length, collation } of columns) {
    const needed = NEEDED_LENGTH[name]
    if (needed === undefined || max_length === null || max_length >= needed) continue
    const alteration = `alter table users alter column ${name} type text collate ${collation}`
    await transaction.query(alteration).catch((cause: unknown) => {
      const reason = `column ${name} holds ${max_length} characters, and widening it to ${needed} fails`
      throw new Error(`${REFUSED}\n  - ${reason}: ${(cause as Error).message}`, { cause })
    })
  }
}
