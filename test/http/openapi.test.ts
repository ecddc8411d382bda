import { Validator } from '@seriousme/openapi-schema-validator'
import { beforeAll, describe, expect, test } from 'vitest'
import { PASSWORD, QUIET_FEED, type Reply, useTestApp } from '../support/test-app.js'
import { disable, remove } from './users-table.js'

const FEED_TOKEN = 'Qm4rTs9WbYc3DfGh6KjEaJ8vXk2pQz7L'
const app = useTestApp({
  environment: {
    ...QUIET_FEED,
    RATE_LIMIT: 'on',
    ACCESS_TOKEN_TTL: '60',
    PRIVILEGED_SESSION_MAX_AGE: '30',
    REVOCATION_FEED_TOKEN: FEED_TOKEN,
  },
})

interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly enum?: readonly unknown[]
  readonly const?: unknown
}

interface Operation {
  readonly tags?: readonly string[]
  readonly summary?: string
  readonly description?: string
  readonly security?: readonly unknown[]
  readonly requestBody?: { readonly required?: boolean; readonly content: Readonly<Record<string, unknown>> }
  readonly responses: Readonly<
    Record<string, { description: string; content?: Readonly<Record<string, { schema: Schema }>> }>
  >
}

interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>
    readonly securitySchemes: Readonly<Record<string, unknown>>
  }
}

let document: Document
beforeAll(async () => {
  document = (await app.get('/openapi.json')).body
})

const operations = (): [string, Operation][] =>
  Object.entries(document.paths).flatMap(([url, item]) =>
    Object.entries(item).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${url}`,
      operation,
    ]),
  )

describe('/openapi.json', () => {
  test('is a valid OpenAPI 3.1 document', async () => {
    const reply = await app.get('/openapi.json')
    expect(reply.status).toBe(200)
    expect(reply.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(document.openapi).toBe('3.1.0')
    expect(await new Validator().validate(reply.body)).toStrictEqual({ valid: true })
  })

  test('holds every operation and no other', () => {
    expect(operations().map(([name]) => name)).toStrictEqual([
      'POST /api/auth/register',
      'POST /api/auth/login',
      'POST /api/auth/refresh',
      'POST /api/auth/logout',
      'POST /api/auth/logout-all',
      'GET /api/auth/sessions',
      'DELETE /api/auth/sessions/{id}',
      'POST /api/auth/password',
      'GET /api/auth/profile',
      'PUT /api/auth/profile',
      'GET /api/auth/revocations',
      'GET /.well-known/jwks.json',
      'GET /health/live',
      'GET /health/ready',
    ])
  })

  test('describes every operation and every answer', () => {
    for (const [name, { tags, summary, responses }] of operations()) {
      expect([name, tags?.length]).toStrictEqual([name, 1])
      expect([name, summary]).toStrictEqual([name, expect.stringMatching(/^\w.{10,}$/)])
      expect(Object.keys(responses).length).toBeGreaterThan(1)
      for (const [status, { description, content }] of Object.entries(responses)) {
        expect([name, status, description]).toStrictEqual([name, status, expect.stringMatching(/\w{2,}/)])
        const type = Number(status) < 400 ? 'application/json' : 'application/problem+json'
        const types = status === '304' ? [] : [type]
        expect([name, status, Object.keys(content ?? {})]).toStrictEqual([name, status, types])
      }
    }
  })

  test('asks for a bearer token exactly where the guard stands', () => {
    expect(document.components.securitySchemes).toStrictEqual({
      feed: { type: 'http', scheme: 'bearer', description: expect.any(String) },
      bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: expect.any(String) },
    })
    const guarded = operations().filter(([, { security }]) => security !== undefined)
    expect(guarded.map(([name, { security }]) => [name, security])).toStrictEqual([
      ['POST /api/auth/logout', [{ bearer: [] }]],
      ['POST /api/auth/logout-all', [{ bearer: [] }]],
      ['GET /api/auth/sessions', [{ bearer: [] }]],
      ['DELETE /api/auth/sessions/{id}', [{ bearer: [] }]],
      ['POST /api/auth/password', [{ bearer: [] }]],
      ['GET /api/auth/profile', [{ bearer: [] }]],
      ['PUT /api/auth/profile', [{ bearer: [] }]],
      ['GET /api/auth/revocations', [{ feed: [] }]],
    ])
    for (const [, { responses }] of guarded) expect(responses).toHaveProperty('401')
  })

  test('tells clients to discard the token when they log out', () => {
    expect(document.paths['/api/auth/logout']?.post?.description).toContain('must discard its access token')
  })
})

/** What in this value is not as the schema says; the fields of an object must be exactly those described. */
function mismatches(schema: Schema, value: unknown, at = '$'): string[] {
  if (schema.$ref) return mismatches(document.components.schemas[schema.$ref.split('/').at(-1)!]!, value, at)
  const kind = Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value
  const fits = schema.type === kind || (schema.type === 'number' && kind === 'integer')
  if (!fits) return [`${at} is ${kind}, not ${schema.type}`]
  if ('const' in schema && schema.const !== value) return [`${at} is another constant`]
  if (schema.enum && !schema.enum.includes(value)) return [`${at} is none of the enum`]
  if (schema.items)
    return (value as unknown[]).flatMap((item, i) => mismatches(schema.items!, item, `${at}[${i}]`))
  if (kind !== 'object') return []
  const fields = value as Record<string, unknown>
  const missing = (schema.required ?? []).filter((name) => !(name in fields))
  return [
    ...missing.map((name) => `${at}.${name} is missing`),
    ...Object.entries(fields).flatMap(([name, field]) => {
      const described = schema.properties?.[name]
      return described ? mismatches(described, field, `${at}.${name}`) : [`${at}.${name} is not described`]
    }),
  ]
}

const JSON_TYPE = { 'content-type': 'application/json' }
const BROKEN = { headers: JSON_TYPE, payload: '{' }
const TOO_LARGE = { headers: JSON_TYPE, payload: ' '.repeat(16_385) }
const TEXT = { headers: { 'content-type': 'text/plain' }, payload: 'text' }

/** Meets every answer of every operation that a test can bring about. */
async function walk(): Promise<[string, Reply][]> {
  const met: [string, Reply][] = []
  const send = async (operation: string, options: object, token?: string) => {
    const [method, url] = operation.split(' ') as ['GET', string]
    const { headers, id, ...rest } = options as { headers?: object; id?: string }
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const request = { method, url: url.replace('{id}', id ?? 'none'), ...rest }
    met.push([operation, await app.send({ ...request, headers: { ...headers, ...authorization } })])
  }
  const [user, gone, disabled] = [await app.newUser(), await app.newUser(), await app.newUser()]
  await remove(app.database, gone.id)
  await disable(app.database, disabled.id)

  const open = ['POST /api/auth/register', 'POST /api/auth/login', 'POST /api/auth/refresh']
  for (const operation of open) {
    for (const options of [{}, { payload: {} }, BROKEN, TOO_LARGE, TEXT]) await send(operation, options)
    for (const { email } of [user, disabled, { email: 'walker@example.com' }]) {
      await send(operation, { payload: { email, name: 'Walker', password: PASSWORD } })
    }
    await send(operation, { payload: { email: user.email, name: 'Walker', password: 'wr0ng-Password!' } })
  }
  const guess = { email: 'walker@example.com', password: 'wr0ng-Password!' }
  for (let i = 0; i < 6; i++) await send('POST /api/auth/login', { payload: guess })
  await send('POST /api/auth/refresh', { payload: { refresh_token: user.refreshToken } })
  await send('POST /api/auth/refresh', { payload: { refresh_token: 'none' } })

  const change = { current_password: PASSWORD, new_password: `${PASSWORD}2` }
  const guarded: [operation: string, payload: object | null][] = [
    ['GET /api/auth/sessions', null],
    ['GET /api/auth/profile', null],
    ['PUT /api/auth/profile', { name: 'Walker' }],
    ['POST /api/auth/password', change],
    ['DELETE /api/auth/sessions/{id}', {}],
    ['POST /api/auth/logout', {}],
    ['POST /api/auth/logout-all', {}],
  ]
  for (const [operation, payload] of guarded) {
    // One for each: some of these end the session.
    const own = await app.newUser()
    const broken = [BROKEN, TOO_LARGE, TEXT, { payload: { name: 1, keep_current: 1, new_password: 1 } }]
    for (const options of payload ? broken : []) await send(operation, options, own.token)
    if (operation.endsWith('{id}')) await send(operation, { id: own.sessionId }, (await app.newUser()).token)
    const wrong = { ...change, current_password: 'wr0ng-Password!' }
    const isPassword = operation.endsWith('password')
    const tries = isPassword ? 6 : 0
    for (let i = 0; i < tries; i++) await send(operation, { payload: wrong }, user.token)
    if (isPassword) await send(operation, { payload: wrong }, own.token)
    // The deleted one first: ending a session makes the server hear of its end as well.
    for (const token of [gone.token, disabled.token, own.token, 'x', undefined]) {
      await send(operation, { id: own.sessionId, ...(payload && { payload }) }, token)
    }
  }
  for (const token of [FEED_TOKEN, user.token, undefined]) await send('GET /api/auth/revocations', {}, token)
  await send('GET /api/auth/revocations', { query: { after: 'x' } }, FEED_TOKEN)
  for (const operation of ['GET /.well-known/jwks.json', 'GET /health/live', 'GET /health/ready'])
    await send(operation, {})

  app.passSeconds(31)
  for (const operation of ['DELETE /api/auth/sessions/{id}', 'POST /api/auth/logout-all'])
    await send(operation, {}, user.token)
  app.passSeconds(29)
  for (const [operation] of guarded) await send(operation, {}, user.token)
  app.database.query = () => Promise.reject(new Error('broken'))
  const fresh = (await app.newUser().catch(() => null))?.token
  expect(fresh).toBeUndefined()
  for (const operation of open) {
    await send(operation, { payload: { email: 'late@example.com', name: 'Late', password: PASSWORD } })
  }
  await send('GET /health/ready', {})
  return met
}

test('every answer that is met on a walk over all operations is documented, with its code and its body', async () => {
  const met = await walk()
  const documented = new Map(operations())
  const seen = new Set<string>()
  for (const [name, { status, headers, body }] of met) {
    const response = documented.get(name)?.responses[status]
    const code: string = status < 400 ? 'success' : body.code
    expect([name, status, code, response !== undefined]).toStrictEqual([name, status, code, true])
    if (status >= 400)
      expect([name, response!.description]).toStrictEqual([name, expect.stringContaining(`\`${code}\``)])
    const [type, content] = Object.entries(response!.content!)[0]!
    expect(headers['content-type']).toBe(`${type}; charset=utf-8`)
    expect([name, status, mismatches(content.schema, body)]).toStrictEqual([name, status, []])
    seen.add(`${name} ${code}`)
  }
  for (const [name] of operations()) expect(seen).toContain(`${name} success`)
  // What a test can bring about and the document names must have been met, so that the walk stays complete.
  const elsewhere = new Set([
    'overloaded',
    'database_unavailable',
    'internal_error',
    'revocation_stale',
    'keys_unavailable',
    'too_many_requests',
  ])
  for (const [name, { responses }] of operations()) {
    for (const { description } of Object.values(responses)) {
      for (const [, code] of description.matchAll(/`(\w+)`/g)) {
        if (!elsewhere.has(code!)) expect(seen).toContain(`${name} ${code}`)
      }
    }
  }
})

describe('/docs', () => {
  test('shows the operations from this server alone', async () => {
    for (const url of ['/docs', '/docs/']) {
      const { status, headers, text } = await app.get(url)
      expect(status).toBe(200)
      expect(headers['content-type']).toMatch(/^text\/html/)
      const policy = String(headers['content-security-policy'])
      expect(policy).toContain("script-src 'self'")
      expect(policy).not.toMatch(/unsafe|https?:|\*/)
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(text).not.toMatch(/(?:src|href|action)\s*=\s*["']?(?:https?:)?\/\//i)
      const files = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file!)
      expect(files.length).toBeGreaterThan(3)
      for (const file of files) {
        const { pathname, host } = new URL(file, `http://localhost/docs/`)
        expect(host).toBe('localhost')
        expect([pathname, (await app.get(pathname)).status]).toStrictEqual([pathname, 200])
      }
    }
  })
})

describe('under DOCS=off', () => {
  const quiet = useTestApp({ environment: { DOCS: 'off' } })

  test.for(['/docs', '/docs/', '/docs/json', '/docs/static/index.html', '/openapi.json'])(
    'there is nothing at %s',
    async (url) => {
      const { status, body } = await quiet.get(url)
      expect([status, body.code]).toStrictEqual([404, 'route_not_found'])
    },
  )
})
