import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject, onTestFinished } from 'vitest'
import type { Database } from '../../src/db/database.js'
import { migrate } from '../../src/db/migrate.js'
import { openServerDatabase } from '../../src/db/open-server.js'
import { grantToServer } from '../../src/db/server-role.js'
import { createServerDatabase } from './test-database.js'

export interface TestRole {
  readonly name: string
  /** The database as this role reaches it. */
  readonly url: string
  /** A pool that is closed when the test ends. */
  open(): Database
}

export interface OwnedDatabase {
  /** Owns the database and may log in; no more than that. */
  readonly owner: TestRole
  /** May log in; no more than that. */
  readonly server: TestRole
  /** The test server's own, a superuser. */
  readonly operator: Database
}

/**
 * An empty database with the two roles of docs/database-roles.md, the second one with `suffix` at the end of its name.
 * All of it is gone when the test ends.
 */
export async function makeOwnedDatabase(suffix = ''): Promise<OwnedDatabase> {
  const { url, drop } = await createServerDatabase()
  const operator = openServerDatabase(inject('serverUrl'), () => {})
  const password = randomBytes(12).toString('hex')
  const open: Database[] = [operator]
  const makeRole = async (kind: string, end: string): Promise<TestRole> => {
    const name = `keyward_test_${kind}_${randomBytes(6).toString('hex')}${end}`
    await operator.query(`create role ${pg.escapeIdentifier(name)} login password '${password}'`)
    const own = new URL(url)
    own.username = name
    own.password = password
    return {
      name,
      url: own.href,
      open() {
        const database = openServerDatabase(own.href, () => {})
        open.push(database)
        return database
      },
    }
  }
  const [owner, server] = [await makeRole('owner', ''), await makeRole('server', suffix)]
  await operator.query(`alter database ${new URL(url).pathname.slice(1)} owner to ${owner.name}`)
  onTestFinished(async () => {
    for (const database of open.slice(1)) await database.close()
    await drop()
    await operator.query(`drop role ${owner.name}, ${pg.escapeIdentifier(server.name)}`)
    await operator.close()
  })
  return { owner, server, operator }
}

/** The same, migrated and granted by its owner, with a pool of each role. */
export async function makeGrantedDatabase(): Promise<
  OwnedDatabase & { readonly asOwner: Database; readonly asServer: Database }
> {
  const made = await makeOwnedDatabase()
  const asOwner = made.owner.open()
  await migrate(asOwner)
  await grantToServer(asOwner, made.server.name)
  return { ...made, asOwner, asServer: made.server.open() }
}
