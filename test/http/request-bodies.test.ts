import { beforeAll, describe, expect, test } from 'vitest'
import { PASSWORD, type Reply, useTestApp } from '../support/test-app.js'
import { expectProblem } from './expect-problem.js'

const app = useTestApp()

const LIMIT = 16_384

let addresses = 0
let authorization = ''
beforeAll(async () => {
  authorization = `Bearer ${(await app.newUser()).token}`
})

/** Every operation with a body: a good body, and the status that it gets. */
const OPERATIONS = {
  register: {
    request: { method: 'POST', url: '/api/auth/register' },
    status: 201,
    body: () => ({ email: `body-${++addresses}@example.com`, name: 'Somebody', password: PASSWORD }),
  },
  login: {
    request: { method: 'POST', url: '/api/auth/login' },
    status: 401,
    body: () => ({ email: 'nobody@example.com', password: PASSWORD }),
  },
  change: {
    request: { method: 'PUT', url: '/api/auth/profile' },
    status: 200,
    body: () => ({ name: 'Renamed' }),
  },
} as const
const NAMES = Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[]

const send = (name: keyof typeof OPERATIONS, payload: string | Buffer): Promise<Reply> =>
  app.send({
    ...OPERATIONS[name].request,
    headers: { 'content-type': 'application/json', ...(name === 'change' && { authorization }) },
    payload,
  })

const everything = () => app.database.query('select * from users order by id')

describe.for(NAMES)('the body of %s', (name) => {
  const { body, status } = OPERATIONS[name]
  const fields = Object.keys(body())

  test('must be valid JSON', async () => {
    const json = JSON.stringify(body())
    for (const payload of [
      '{',
      ' ',
      'undefined',
      'NaN',
      `${json},`,
      `${json}${json}`,
      json.replaceAll('"', "'"),
      json.replace('}', ',}'),
      `/* why */${json}`,
      '{"name": "line\nbreak"}',
      '{"name": "\\x41"}',
      '{"name": \u0000"x"}',
      'email=a%40example.com&password=x',
    ]) {
      expectProblem(await send(name, payload), 'malformed_json')
    }
  })

  test('must be UTF-8', async () => {
    for (const bytes of [[0xff], [0xc3, 0x28], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]]) {
      const [head, tail] = JSON.stringify({ ...body(), name: 'BYTES' }).split('BYTES')
      const payload = Buffer.concat([Buffer.from(head!), Buffer.from(bytes), Buffer.from(tail!)])
      expectProblem(await send(name, payload), 'malformed_json')
    }
    expectProblem(
      await send(name, Buffer.from(`\uFEFF${JSON.stringify(body())}`, 'utf16le')),
      'malformed_json',
    )
  })

  test('must be an object', async () => {
    for (const payload of ['[]', '[{"name":"x"}]', 'null', '"text"', '1', 'true', '']) {
      const errors = [{ field: 'body', message: 'must be object' }]
      expectProblem(await send(name, payload), 'validation_failed', errors)
    }
  })

  test('takes no value of another type for any of its fields', async () => {
    const before = await everything()
    for (const field of fields) {
      for (const value of [0, 12_345_678, false, true, [], ['text'], {}, { text: 'text' }]) {
        const reply = await send(name, JSON.stringify({ ...body(), [field]: value }))
        const message = name === 'change' ? 'must be string or null' : 'must be string'
        expectProblem(reply, 'validation_failed', [{ field, message }])
      }
      if (name === 'change') continue
      const reply = await send(name, JSON.stringify({ ...body(), [field]: null }))
      expectProblem(reply, 'validation_failed', [{ field, message: 'must be string' }])
    }
    expect(await everything()).toStrictEqual(before)
  })

  test('takes no text that cannot be stored', async () => {
    const before = await everything()
    for (const field of fields) {
      for (const escaped of ['\\u0000', '\\ud800', '\\udfff', '\\udc00\\ud800']) {
        const json = JSON.stringify({ ...body(), [field]: 'Text-HERE-1@example.com' })
        const reply = await send(name, json.replace('HERE', escaped))
        expect(reply.body.errors).toHaveLength(1)
        const [{ message }] = reply.body.errors
        expectProblem(reply, 'validation_failed', [{ field, message }])
      }
    }
    expect(await everything()).toStrictEqual(before)
  })

  test('may not reach for a prototype', async () => {
    const before = await everything()
    const rest = JSON.stringify(body()).slice(1)
    for (const payload of [
      `{"__proto__":{"isAdmin":true},${rest}`,
      `{"__pr\\u006fto__":{"isAdmin":true},${rest}`,
      `{"constructor":{"prototype":{"isAdmin":true}},${rest}`,
      `{"c\\u006fnstructor":{"prot\\u006ftype":{"isAdmin":true}},${rest}`,
      `{"extra":{"deeper":[{"__proto__":{"isAdmin":true}}]},${rest}`,
    ]) {
      expectProblem(await send(name, payload), 'malformed_json')
    }
    expect('isAdmin' in {}).toBe(false)
    expect(Object.keys(Object.prototype)).toStrictEqual([])
    expect(await everything()).toStrictEqual(before)
  })

  test('may be nested thousands of levels deep without harm', async () => {
    const deepArray = '['.repeat(8_000) + ']'.repeat(8_000)
    const deepObject = `${'{"a":'.repeat(2_600)}1${'}'.repeat(2_600)}`
    const notAnObject = [{ field: 'body', message: 'must be object' }]
    expectProblem(await send(name, deepArray), 'validation_failed', notAnObject)
    const json = JSON.stringify({ ...body(), [fields[0]!]: 'DEEP' })
    for (const deep of [deepArray, deepObject]) {
      const reply = await send(name, json.replace('"DEEP"', deep))
      expectProblem(reply, 'validation_failed', [{ field: fields[0]!, message: expect.any(String) as never }])
    }
    const rest = JSON.stringify(body()).slice(1)
    expect((await send(name, `{"ignored":${deepObject},${rest}`)).status).toBe(status)
    expectProblem(await send(name, `{"ignored":${deepObject},"__proto__":1,${rest}`), 'malformed_json')
    expectProblem(await send(name, '{"a":'.repeat(3_000)), 'malformed_json')
  })

  test('may have 16 KiB and not a byte more', async () => {
    expect((await send(name, JSON.stringify(body()).padEnd(LIMIT))).status).toBe(status)
    const before = await everything()
    expectProblem(await send(name, JSON.stringify(body()).padEnd(LIMIT + 1)), 'body_too_large')
    // The limit counts bytes: these are fewer characters than it allows.
    expectProblem(await send(name, '\u20AC'.repeat(LIMIT / 2)), 'body_too_large')
    expect(await everything()).toStrictEqual(before)
  })
})

test('of duplicate keys the last one counts', async () => {
  const address = 'last@example.com'
  const payload = `{"email":"first@example.com","name":"First","password":"x","password":"${PASSWORD}","name":"Last","email":"${address}"}`
  const reply = await send('register', payload)
  expect(reply.status).toBe(201)
  expect(reply.body.user).toMatchObject({ email: address, name: 'Last' })
  const login = `{"email":"${address}","password":"${PASSWORD}","password":"wrong"}`
  expectProblem(await send('login', login), 'invalid_credentials')
})

test('unknown fields of a registration are neither assigned nor stored', async () => {
  const columns = Object.keys((await everything())[0] ?? {})
  const id = '00000000-0000-4000-8000-000000000000'
  const reply = await app.post('/api/auth/register', {
    ...OPERATIONS.register.body(),
    id,
    is_active: false,
    isActive: false,
    role: 'admin',
    created_at: '2000-01-01T00:00:00Z',
    updated_at: '2000-01-01T00:00:00Z',
    password_hash: 'canary-hash',
    user: { id, role: 'admin' },
    constructor: 'harmless',
    toString: 'harmless',
  })
  expect(reply.status).toBe(201)
  expect(reply.body.user).toStrictEqual({
    id: expect.not.stringContaining(id),
    email: expect.any(String),
    name: 'Somebody',
    is_active: true,
    created_at: '2099-11-22T12:00:00.000Z',
    updated_at: '2099-11-22T12:00:00.000Z',
  })
  const rows = await app.database.query('select * from users where id = $1', [reply.body.user.id])
  expect(Object.keys(rows[0]!)).toStrictEqual(columns)
  expect(JSON.stringify(rows)).not.toMatch(/admin|canary-hash|harmless/)
})
