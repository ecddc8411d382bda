import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { readTable } from '../docs/markdown.js'
import { ROOT } from '../support/keyward-process.js'
import { storedText } from '../support/stored-text.js'
import { PRESENT, readClaims, useTestApp } from '../support/test-app.js'

const FEED_TOKEN = 'Qm4rTs9WbYc3DfGh6KjEaJ8vXk2pQz7L'
const app = useTestApp({
  startAt: PRESENT,
  environment: { REVOCATION_FEED_TOKEN: FEED_TOKEN, JWT_AUDIENCE: 'api' },
})
const rules = readFileSync(join(ROOT, 'docs/security/rules.md'), 'utf8')
const code = (cell = ''): string => cell.replaceAll('`', '')

interface Operation {
  readonly name: string
  readonly security: 'bearer' | 'feed' | null
  readonly answersWithTokens: boolean
  /** Names in the path and in the query. */
  readonly parameters: readonly string[]
}

let operations: Operation[]
beforeAll(async () => {
  const { paths } = (await app.get('/openapi.json')).body
  operations = Object.entries<Record<string, never>>(paths).flatMap(([path, item]) =>
    Object.entries<{
      security?: Record<string, unknown>[]
      parameters?: { name: string }[]
      responses: Record<string, unknown>
    }>(item).map(([method, { security, parameters = [], responses }]) => ({
      name: `${method.toUpperCase()} ${path}`,
      security: (Object.keys(security?.[0] ?? {})[0] ?? null) as Operation['security'],
      answersWithTokens: /schemas\/Session"/.test(JSON.stringify(responses['200'] ?? responses['201'])),
      parameters: parameters.map(({ name }) => name),
    })),
  )
})

test('every operation that hands out tokens is among the ways in, and no other', () => {
  const ways = readTable(rules, 'operation', 'what it asks for').map(({ operation }) => code(operation))
  expect(ways).toEqual(operations.filter((each) => each.answersWithTokens).map(({ name }) => name))
  expect(ways).toHaveLength(3)
})

test('the table of rights names every operation, and who may call it', () => {
  const OPEN = new Set(['anybody', 'who knows the password', 'who holds the refresh token'])
  const securityOf = (who = ''): Operation['security'] => {
    if (OPEN.has(who)) return null
    if (who === 'the service token') return 'feed'
    if (who.startsWith('a session')) return 'bearer'
    throw new Error(`Who is “${who}”?`)
  }
  const documented = readTable(rules, 'operation', 'who', 'whose data').map(({ operation, who }) => [
    code(operation),
    securityOf(who),
  ])
  expect(documented).toEqual(operations.map(({ name, security }) => [name, security]))
})

test('the table of data names every column of the database, and no other', async () => {
  const columns = await app.database.query<{ name: string }>(
    "select table_name || '.' || column_name as name from information_schema.columns where table_schema = 'public'",
  )
  const documented = readTable(rules, 'column', 'level').map(({ column }) => code(column))
  expect(documented.sort()).toEqual(columns.map(({ name }) => name).sort())
})

test('the table of claims names what an access token shows', async () => {
  const claims = readClaims((await app.newUser()).token)
  const documented = readTable(rules, 'claim', 'level').map(({ claim }) => code(claim))
  expect(Object.keys(claims).sort()).toEqual(documented.sort())
})

test('no operation takes anything secret in its address', () => {
  const inAddresses = operations.flatMap(({ name, parameters }) => parameters.map((each) => [name, each]))
  expect(inAddresses).toEqual([
    ['DELETE /api/auth/sessions/{id}', 'id'],
    ['GET /api/auth/revocations', 'after'],
    ['GET /api/auth/revocations', 'wait'],
  ])
})

test('no operation that may be called by GET changes anything', async () => {
  const user = await app.newUser()
  const before = await storedText(app.database)
  const addresses = operations.flatMap(({ name, security }) => {
    const [method, address = ''] = name.split(' ')
    return method === 'GET' ? [{ address, token: security === 'feed' ? FEED_TOKEN : user.token }] : []
  })
  expect(addresses).toHaveLength(6)
  for (const { address, token } of addresses) expect((await app.get(address, token)).status).toBe(200)
  expect(await storedText(app.database)).toBe(before)
})
