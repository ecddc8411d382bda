import type { Database } from '../../src/db/database.js'

// What the API never shows and a test has to see or set.

export async function countUsers(database: Database): Promise<number> {
  const [row] = await database.query<{ count: number }>('select count(*)::int as count from users')
  return row!.count
}

export async function readHash(database: Database, id: string): Promise<string> {
  const [row] = await database.query<{ password_hash: string }>(
    'select password_hash from users where id = $1',
    [id],
  )
  return row!.password_hash
}

export async function writeHash(database: Database, id: string, hash: string): Promise<void> {
  await database.query('update users set password_hash = $2 where id = $1', [id, hash])
}

export async function disable(database: Database, id: string): Promise<void> {
  await database.query('update users set is_active = false where id = $1', [id])
}

export async function remove(database: Database, id: string): Promise<void> {
  await database.query('delete from users where id = $1', [id])
}
