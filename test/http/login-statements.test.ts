import { hash as bcryptHash } from '@node-rs/bcrypt'
import { expect, test } from 'vitest'
import { QUIET_FEED, useTestApp } from '../support/test-app.js'
import { disable, writeHash } from './users-table.js'

let statements: string[] = []
const app = useTestApp({
  environment: { ...QUIET_FEED, RATE_LIMIT: 'on' },
  intercept: (database) => ({
    ...database,
    query(text, ...rest) {
      statements.push(text)
      return database.query(text, ...rest)
    },
  }),
})

async function statementsOfRefusal(
  email: string,
  { password = 'wr0ng-Password!', token }: { password?: string; token?: string } = {},
): Promise<string[]> {
  statements = []
  const { status } = await app.post('/api/auth/login', { email, password }, token)
  expect(status).toBe(401)
  return statements
}

test('a refused login asks the database the same, whatever the reason', async () => {
  const known = await app.newUser()
  const disabled = await app.newUser()
  await disable(app.database, disabled.id)
  const outdated = await app.newUser()
  await writeHash(app.database, outdated.id, (await bcryptHash('another', 4)).replace('$2b$', '$2a$'))
  const expired = await app.newUser()
  const command = { action: 'set-password', who: expired.id, password: null } as const
  const { generatedPassword } = await app.runUserCommand(command)
  app.passSeconds(86_400)

  const expected = await statementsOfRefusal('nobody@example.com')
  expect(expected).toHaveLength(2)
  for (const { email } of [known, disabled, outdated]) {
    expect(await statementsOfRefusal(email)).toStrictEqual(expected)
    expect(await statementsOfRefusal(email, { token: known.token })).toStrictEqual(expected)
  }
  expect(await statementsOfRefusal(expired.email, { password: generatedPassword! })).toStrictEqual(expected)
})
