import pg from 'pg'
import type { Database, Queryable } from './database.js'
import { SERVER_GRANTS } from './server-grants.js'

/**
 * Gives a role what the server needs, and takes from it whatever else it may do with Keyward's tables and functions. Run
 * it as their owner, after `migrate`. Throws an Error in words for the operator where that role could change the schema
 * all the same, or does not exist.
 */
export async function grantToServer(database: Database, role: string): Promise<void> {
  await database.transaction(async (transaction) => {
    const found = await readRole(transaction, role)
    const powers = powersOf(found)
    if (powers.length > 0) {
      const list = powers.map((power) => `  - ${power}`).join('\n')
      throw new Error(`Nothing was granted: the role ${role} could change the schema all the same.\n${list}`)
    }
    for (const statement of toStatements(role, found.schema)) {
      await transaction.query(statement)
    }
  })
}

/** What the current role lacks for running the server, as in `update (name) on users`. */
export async function findMissingRights(transaction: Queryable): Promise<string[]> {
  const rows = await transaction.query<{ missing: string }>(MISSING, [JSON.stringify(wantedRights())])
  return rows.map(({ missing }) => missing)
}

// What a migration has yet to make is null here, and not missing: the migration is.
const MISSING = `
  select missing
    from jsonb_to_recordset($1) as wanted (missing text, kind text, object text, privilege text, name text)
   where not case when kind = 'function' then has_function_privilege(to_regprocedure(object), privilege)
                  when name is null then has_table_privilege(to_regclass(object), privilege)
                  else has_column_privilege(to_regclass(object), name, privilege) end`

const wantedRights = (): object[] =>
  SERVER_GRANTS.flatMap(({ kind, on, privileges, columns = [null] }) =>
    privileges.flatMap((privilege) =>
      columns.map((name) => ({
        missing: `${privilege}${name === null ? '' : ` (${name})`} on ${on}`,
        kind,
        object: on,
        privilege,
        name,
      })),
    ),
  )

function toStatements(role: string, schema: string): string[] {
  const grantee = pg.escapeIdentifier(role)
  const objects = [...new Set(SERVER_GRANTS.map(({ kind, on }) => `${kind} ${on}`))]
  return [
    ...objects.map((object) => `revoke all on ${object} from ${grantee}`),
    `grant usage on schema ${schema} to ${grantee}`,
    ...SERVER_GRANTS.map(({ kind, on, privileges, columns }) => {
      const where = columns === undefined ? '' : ` (${columns.join(', ')})`
      const rights = privileges.map((privilege) => privilege + where).join(', ')
      return `grant ${rights} on ${kind} ${on} to ${grantee}`
    }),
  ]
}

interface Role {
  readonly is_superuser: boolean
  readonly makes_roles: boolean
  /** Where the tables are, as it stands in SQL. */
  readonly schema: string
  readonly creates_tables: boolean
  readonly creates_schemas: boolean
  /** Owners of tables that it is, or belongs to. */
  readonly owners: readonly string[]
}

async function readRole(transaction: Queryable, role: string): Promise<Role> {
  const [found] = await transaction.query<Role>(
    `select rolsuper as is_superuser, rolcreaterole as makes_roles, quote_ident(current_schema()) as schema,
            has_schema_privilege(oid, current_schema(), 'create') as creates_tables,
            has_database_privilege(oid, current_database(), 'create') as creates_schemas,
            array(select distinct relowner::regrole::text from pg_class
                   where oid = any($2::regclass[]) and pg_has_role(pg_roles.oid, relowner, 'member')) as owners
       from pg_roles where rolname = $1`,
    [role, SERVER_GRANTS.filter(({ kind }) => kind === 'table').map(({ on }) => on)],
  )
  if (!found) throw new Error(`There is no role ${role}; make it first (create role … login).`)
  return found
}

/** What lets a role change the schema, in words. */
function powersOf(found: Role): string[] {
  if (found.is_superuser) return ['it is a superuser']
  return [
    ...found.owners.map((owner) => `it is, or belongs to, the role ${owner}, which owns tables`),
    ...(found.makes_roles ? ['it may make roles, and grant them to itself (createrole)'] : []),
    ...(found.creates_schemas ? ['it may create schemas in this database'] : []),
    ...(found.creates_tables
      ? [
          `it may create tables in the schema ${found.schema} (revoke create on schema ${found.schema} from public)`,
        ]
      : []),
  ]
}
