import { describe, expect, test } from 'vitest'
import { PASSWORD, type TestApp, useTestApp } from '../support/test-app.js'
import { expectProblem } from './expect-problem.js'

const direct = useTestApp({ environment: { RATE_LIMIT: 'on' } })
const proxied = useTestApp({ environment: { RATE_LIMIT: 'on', TRUST_PROXY: '192.0.2.0/24' } })

const FORGED = {
  'x-forwarded-for': '203.0.113.66',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'https',
  'x-real-ip': '203.0.113.66',
  forwarded: 'for=203.0.113.66;host=evil.example;proto=https',
}

const logIn = (app: TestApp, email: string, password: string, remoteAddress: string, headers: object) =>
  app.send({
    method: 'POST',
    url: '/api/auth/login',
    payload: { email, password },
    remoteAddress,
    headers: { ...headers },
  })

const lastAddress = (app: TestApp, event: string) => app.events(event).at(-1).address

async function sessionAddress(app: TestApp, token: string): Promise<string> {
  const { sessions } = (await app.get('/api/auth/sessions', token)).body
  return sessions.find(({ current }: { current: boolean }) => current).address
}

describe('without TRUST_PROXY', () => {
  test('forged headers change neither sessions nor events nor answers, and leave no trace', async () => {
    const { email } = await direct.newUser()
    const reply = await logIn(direct, email, PASSWORD, '198.51.100.1', FORGED)
    expect(await sessionAddress(direct, reply.body.access_token)).toBe('198.51.100.1')
    expect(lastAddress(direct, 'login')).toBe('198.51.100.1')
    for (const url of ['/openapi.json', '/docs', '/nope', '/api/auth/profile']) {
      const { text, headers } = await direct.send({ method: 'GET', url, headers: FORGED })
      expect(text + JSON.stringify(headers)).not.toMatch(/evil\.example|203\.0\.113\.66/)
    }
    expect(direct.logLines.join('')).not.toMatch(/evil\.example|203\.0\.113\.66/)
  })

  test('a new address in the header with each guess is still one client', async () => {
    const { email } = await direct.newUser()
    for (let i = 1; i <= 5; i++) {
      const headers = { 'x-forwarded-for': `203.0.113.${i}` }
      expect((await logIn(direct, email, 'wr0ng-Password!', '198.51.100.2', headers)).status).toBe(401)
    }
    expectProblem(await logIn(direct, email, PASSWORD, '198.51.100.2', FORGED), 'too_many_attempts')
  })

  test('one warning tells the operator of the header, and no more than one', async () => {
    for (let i = 0; i < 3; i++) await direct.send({ method: 'GET', url: '/health/live', headers: FORGED })
    const warnings = direct.logLines.filter((line) => line.includes('TRUST_PROXY'))
    expect(warnings).toHaveLength(1)
    expect(JSON.parse(warnings[0]!).level).toBe('warn')
  })
})

describe('behind a trusted proxy', () => {
  test('clients are told apart by what the proxy says of them', async () => {
    const { email } = await proxied.newUser()
    const through = (client: string, password: string) =>
      logIn(proxied, email, password, '192.0.2.1', { 'x-forwarded-for': `10.9.9.9, ${client}` })
    for (let i = 0; i < 5; i++) expect((await through('203.0.113.1', 'wr0ng-Password!')).status).toBe(401)
    expectProblem(await through('203.0.113.1', PASSWORD), 'too_many_attempts')
    const { status, body } = await through('203.0.113.2', PASSWORD)
    expect(status).toBe(200)
    expect(await sessionAddress(proxied, body.access_token)).toBe('203.0.113.2')
    expect(lastAddress(proxied, 'login')).toBe('203.0.113.2')
  })

  test('the header of anybody else is nothing', async () => {
    const { email } = await proxied.newUser()
    const { body } = await logIn(proxied, email, PASSWORD, '198.51.100.3', FORGED)
    expect(await sessionAddress(proxied, body.access_token)).toBe('198.51.100.3')
  })

  test.for(['unknown', '203.0.113.1\u2028', '%0d%0a', ','.repeat(5_000), '999.999.999.999', '{"a":1}'])(
    'an entry that is no address makes no client: %j',
    async (entry) => {
      const { email } = await proxied.newUser()
      const headers = { 'x-forwarded-for': encodeURI(entry) }
      const { body } = await logIn(proxied, email, PASSWORD, '192.0.2.9', headers)
      expect(await sessionAddress(proxied, body.access_token)).toBe('192.0.2.9')
    },
  )

  test('there is no warning, and the forwarded host and protocol still mean nothing', async () => {
    const headers = { ...FORGED, 'x-forwarded-for': '203.0.113.5' }
    for (const url of ['/openapi.json', '/docs', '/nope']) {
      const { text } = await proxied.send({ method: 'GET', url, headers, remoteAddress: '192.0.2.1' })
      expect(text).not.toContain('evil.example')
    }
    expect(proxied.logLines.filter((line) => line.includes('TRUST_PROXY'))).toEqual([])
  })
})
