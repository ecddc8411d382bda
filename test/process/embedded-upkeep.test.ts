import { createPgConfig } from '@electric-sql/pglite/node-postgres'
import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { expect, test } from 'vitest'
import { vacuumTables } from '../../src/db/embedded-upkeep.js'

test('an embedded table whose rows come and go does not grow for ever', async () => {
  const pglite = await PGlite.create()
  const pool = new pg.Pool(Object.assign(createPgConfig(pglite), { max: 1, idleTimeoutMillis: 0 }))
  await pool.query('create table "Notes" (id int)')
  const sizes: number[] = []
  for (let round = 0; round < 4; round++) {
    await pool.query('insert into "Notes" select generate_series(1, 20000)')
    await pool.query('delete from "Notes"')
    await vacuumTables(pool)
    await pool.query('insert into "Notes" select generate_series(1, 20000)')
    const { rows } = await pool.query(`select pg_table_size('"Notes"')::int as size`)
    sizes.push(rows[0].size)
    await pool.query('delete from "Notes"')
  }
  expect(sizes.at(-1)).toBeLessThan(2 * sizes[0]!)
  await pool.end()
  await pglite.close()
})
