import { describe, expect, test } from 'vitest'
import { PASSWORD, type Reply, useTestApp } from '../support/test-app.js'
import { expectProblem } from './expect-problem.js'
import { countUsers, readHash } from './users-table.js'

const app = useTestApp()

const NO_DIGIT = 'must contain at least one digit'
const NO_SPECIAL = 'must contain at least one special character'

let addresses = 0
const valid = () => ({ email: `new-${++addresses}@example.com`, name: 'New Person', password: PASSWORD })
const register = (fields: Record<string, unknown>) =>
  app.post('/api/auth/register', { ...valid(), ...fields })

describe('an account', () => {
  test('starts with an open session', async () => {
    const { status, body } = await register({})
    expect(status).toBe(201)
    const profile = await app.get('/api/auth/profile', body.access_token)
    expect(profile.body).toStrictEqual(body.user)
  })

  test('shows its six fields and never its hash', async () => {
    const { body, text } = await register({})
    expect(Object.keys(body.user)).toStrictEqual([
      'id',
      'email',
      'name',
      'is_active',
      'created_at',
      'updated_at',
    ])
    expect(text).not.toContain(await readHash(app.database, body.user.id))
    expect(text).not.toContain('$2b$')
  })

  test('is refused with every invalid field at once, and not created', async () => {
    const before = await countUsers(app.database)
    expectProblem(await register({ email: 'ada', name: ' ', password: 'short' }), 'validation_failed', [
      { field: 'email', message: 'is not a valid email address' },
      { field: 'name', message: 'must not be empty' },
      { field: 'password', message: 'must have at least 8 characters' },
      { field: 'password', message: 'must contain at least one digit' },
      { field: 'password', message: 'must contain at least one special character' },
    ])
    expectProblem(await app.post('/api/auth/register', {}), 'validation_failed', [
      { field: 'email', message: 'is required' },
      { field: 'name', message: 'is required' },
      { field: 'password', message: 'is required' },
    ])
    expect(await countUsers(app.database)).toBe(before)
  })
})

describe('an e-mail address', () => {
  const local64 = 'l'.repeat(64)
  const domain189 = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(61)}`

  test.for([
    ['\t Spaces.Around@Example.COM \n', 'spaces.around@example.com'],
    ["o'brien+tag@example.co.uk", "o'brien+tag@example.co.uk"],
    ['user@BÜCHER.example', 'user@xn--bcher-kva.example'],
    ['JOSE\u0301@example.com', 'josé@example.com'],
    [`${local64}@${domain189}`, `${local64}@${domain189}`],
  ])('is stored trimmed, lower-cased and with an ASCII domain: %j', async ([given, stored]) => {
    const { status, body } = await register({ email: given })
    expect(status).toBe(201)
    expect(body.user.email).toBe(stored)
  })

  test.for([
    '',
    '   ',
    'plain',
    '@example.com',
    'user@',
    'user@localhost',
    'user@@example.com',
    'us er@example.com',
    'user@example..com',
    'user@example.com.',
    '.user@example.com',
    'us..er@example.com',
    'user@-example.com',
    'user@exam_ple.com',
    'user@127.0.0.1',
    'user@[127.0.0.1]',
    'user@%65xample.com',
    'Name <user@example.com>',
    'user@example.com\r\nbcc: other@example.com',
    `l${local64}@example.com`,
    `user@${'a'.repeat(64)}.com`,
    `${local64}@${domain189}c`,
    `${'a'.repeat(15_000)}@example.com`,
  ])('is refused when it is ill-formed or too long: %j', async (email) => {
    expectProblem(await register({ email }), 'validation_failed', [
      { field: 'email', message: 'is not a valid email address' },
    ])
  })

  test.for([
    ['taken@example.com', ' TAKEN@Example.com'],
    ['taken@bücher.example', 'Taken@XN--BCHER-KVA.example'],
    ['ümlaut@example.com', 'U\u0308MLAUT@example.com'],
  ])('is taken in any letter case and spelling: %j', async ([first, again]) => {
    expect((await register({ email: first })).status).toBe(201)
    const before = await countUsers(app.database)
    expectProblem(await register({ email: again, name: 'Someone Else' }), 'email_taken')
    expect(await countUsers(app.database)).toBe(before)
  })

  test('is given to exactly one of twenty simultaneous registrations', async () => {
    const before = await countUsers(app.database)
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        register({ email: i % 2 === 0 ? 'Race@Example.com' : 'rACE@eXAMPLE.COM', name: `Runner ${i}` }),
      ),
    )
    const winners = replies.filter(({ status }) => status === 201)
    expect(winners).toHaveLength(1)
    for (const reply of replies) if (reply !== winners[0]) expectProblem(reply, 'email_taken')
    expect(await countUsers(app.database)).toBe(before + 1)
    const { user, access_token: token } = winners[0]!.body
    expect((await app.get('/api/auth/profile', token)).body).toStrictEqual(user)
  })
})

describe('a name', () => {
  test.for([
    ['  Ada\u00A0Lovelace\u3000', 'Ada\u00A0Lovelace'],
    ['Ame\u0301lie', 'Am\u00E9lie'],
    ['x', 'x'],
    ['😀'.repeat(200), '😀'.repeat(200)],
    ["Robert'); drop table users;--", "Robert'); drop table users;--"],
    ['<script>alert(1)</script>', '<script>alert(1)</script>'],
  ])('is stored trimmed, in composed form and otherwise as it came: %j', async ([given, stored]) => {
    const { status, body } = await register({ name: given })
    expect(status).toBe(201)
    expect(body.user.name).toBe(stored)
  })

  test.for([
    ['', 'must not be empty'],
    [' \t\u00A0\u3000', 'must not be empty'],
    ['\u200B\u200D', 'must not be empty'],
    ['Ada\nLovelace', 'must not contain control characters'],
    ['Ada\u001B[31m', 'must not contain control characters'],
    ['x'.repeat(201), 'must have at most 200 characters'],
  ])('is refused with the reason: %j', async ([name, message]) => {
    expectProblem(await register({ name }), 'validation_failed', [{ field: 'name', message: message! }])
  })
})

describe('a password', () => {
  test.for([
    'abcdef1!',
    ' 1! pass',
    'é1!😀😀😀😀😀',
    '٣пароль!',
    `1!${'x'.repeat(126)}`,
    `1!${'😀'.repeat(126)}`,
  ])('is accepted with 8 to 128 characters, a digit and a special character: %j', async (password) => {
    expect((await register({ password })).status).toBe(201)
  })

  test.for([
    ['', ['must have at least 8 characters', NO_DIGIT, NO_SPECIAL]],
    ['abcde1!', ['must have at least 8 characters']],
    ['😀😀😀1', ['must have at least 8 characters']],
    ['abcdefg!', [NO_DIGIT]],
    ['abcdefg1', [NO_SPECIAL]],
    ['abcdefg1 ', [NO_SPECIAL]],
    ['naïveté1', [NO_SPECIAL]],
    [`1!${'x'.repeat(127)}`, ['must have at most 128 characters']],
    ['P@ssw0rd', ['is one of the most common passwords']],
  ] as const)('is refused with the reasons: %j', async ([password, messages]) => {
    const errors = messages.map((message) => ({ field: 'password', message }))
    expectProblem(await register({ password }), 'validation_failed', errors)
  })

  test('may not contain the name in the e-mail address', async () => {
    const reply = await register({ email: 'babbage@example.com', password: '1791-BABBAGE!' })
    const message = 'must not contain the name in your email address'
    expectProblem(reply, 'validation_failed', [{ field: 'password', message }])
  })
})

describe('a banned word in a password', () => {
  const acme = useTestApp({ environment: { PASSWORD_BANNED_WORDS: 'acme, rocket skates' } })
  const expectBanned = (reply: Reply, field: string, word: string): void =>
    expectProblem(reply, 'validation_failed', [{ field, message: `must not contain "${word}"` }])

  test('is refused on registering and on changing the password: by default the name of the service', async () => {
    expectBanned(await register({ password: 'KeyWard-2026!' }), 'password', 'keyward')
    expectBanned(
      await acme.post('/api/auth/register', { ...valid(), password: 'ACME-2026!' }),
      'password',
      'acme',
    )
    const user = await acme.newUser()
    const change = { current_password: user.password, new_password: 'Rocket skates 7!' }
    expectBanned(await user.post('/api/auth/password', change), 'new_password', 'rocket skates')
    expect((await acme.newUser({ password: 'KeyWard-2026!' })).id).toBeDefined()
  })
})

describe('under PASSWORD_POLICY=nist, a password', () => {
  const nist = useTestApp({ environment: { PASSWORD_POLICY: 'nist' } })

  test('needs fifteen characters and no mixture of kinds', async () => {
    const reply = await nist.post('/api/auth/register', { ...valid(), password: 'purple tortoises' })
    expect(reply.status).toBe(201)
    const short = await nist.post('/api/auth/register', { ...valid(), password: 'C0rrect-horse!' })
    const message = 'must have at least 15 characters'
    expectProblem(short, 'validation_failed', [{ field: 'password', message }])
  })

  test('may not be a common one', async () => {
    const reply = await nist.post('/api/auth/register', { ...valid(), password: '123456789987654321' })
    const message = 'is one of the most common passwords'
    expectProblem(reply, 'validation_failed', [{ field: 'password', message }])
  })
})
