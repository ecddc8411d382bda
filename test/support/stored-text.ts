import type { Queryable } from '../../src/db/database.js'

/** Everything that rests in the database, as text: what somebody with a stolen backup can read. Bytes are in hex. */
export async function storedText(database: Queryable): Promise<string> {
  const tables = await database.query<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
      where table_schema not in ('pg_catalog', 'information_schema')`,
  )
  const texts: string[] = []
  for (const { name } of tables) {
    const rows = await database.query<{ text: string }>(`select t::text as text from ${name} as t`)
    texts.push(...rows.map(({ text }) => text))
  }
  return texts.join('\n')
}
