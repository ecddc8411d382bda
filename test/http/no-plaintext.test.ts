import type { InjectOptions } from 'fastify'
import { expect, test } from 'vitest'
import { type Reply, useTestApp } from '../support/test-app.js'

const app = useTestApp()

const CANARY = 'Canary-7f3a9c!'
const JSON_TYPE = { 'content-type': 'application/json' }

/** Sends the request and keeps everything that comes back. */
async function collect(into: string[], request: InjectOptions, expected: number): Promise<Reply> {
  const reply = await app.send(request)
  expect([request.url, reply.status]).toStrictEqual([request.url, expected])
  into.push(JSON.stringify(reply.headers), reply.text)
  return reply
}

/** Drives the password through every operation and every way in which it can fail. */
async function driveEverywhere(password: string): Promise<string[]> {
  const seen: string[] = []
  const email = 'canary-owner@example.com'
  const post = (url: string, payload: object | string, expected: number, headers: object = JSON_TYPE) =>
    collect(seen, { method: 'POST', url, headers: { ...headers }, payload }, expected)
  const register = '/api/auth/register'
  const login = '/api/auth/login'

  const { body } = await post(register, { email, name: 'Owner', password }, 201)
  const bearer = { authorization: `Bearer ${body.access_token}` }
  await post(register, { email, name: 'Owner', password }, 409)
  await post(register, { email: 'nobody', name: '', password }, 400)
  await post(register, { email: `${password}@example.com`, name: 'Owner', password }, 400)
  await post(register, { email: password, name: `${password}\n`, password: 1 }, 400)
  await post(register, { email, name: `${password}\u0000`, password: [password] }, 400)
  await post(register, { [password]: password }, 400)
  await post(register, { email, name: 'Owner', password: `${password}\u0000` }, 400)

  await post(login, { email, password }, 200)
  await post(login, { email, password: `${password}!` }, 401)
  await post(login, { email: 'nobody@example.com', password }, 401)
  await post(login, { email: password, password }, 400)
  await post(login, { email: { [password]: password }, password: { password } }, 400)
  for (const url of [register, login]) {
    await post(url, `{"password":"${password}"`, 400)
    await post(url, `{"password":"${password}","__proto__":{"${password}":1}}`, 400)
    await post(url, `"${password}"`, 400)
    await post(url, `password=${password}`, 415, { 'content-type': 'application/x-www-form-urlencoded' })
    await post(url, '{}', 415, { 'content-type': `text/${password}` })
    await post(url, JSON.stringify({ password: password.repeat(2_000) }), 413)
    await collect(seen, { method: 'DELETE', url: `${url}?password=${password}` }, 405)
  }

  const profile = '/api/auth/profile'
  const put = (payload: object, expected: number) =>
    collect(seen, { method: 'PUT', url: profile, headers: bearer, payload }, expected)
  await put({ password, name: 'Renamed' }, 200)
  await put({ name: `${password}\u0000` }, 400)
  await put({ name: { [password]: password } }, 400)
  await put({ name: password.repeat(50) }, 400)
  await collect(seen, { method: 'GET', url: `${profile}?password=${password}`, headers: bearer }, 200)
  for (const authorization of [
    password,
    `Bearer ${password}`,
    `Bearer a.${password}.c`,
    `Basic ${password}`,
  ]) {
    const headers = { authorization, cookie: password, 'user-agent': password, referer: password }
    await collect(seen, { method: 'GET', url: profile, headers }, 401)
  }
  await post('/api/auth/logout', { password }, 200, { ...JSON_TYPE, ...bearer })
  await collect(seen, { method: 'GET', url: `/${password}` }, 404)
  await collect(seen, { method: 'GET', url: `/%zz${password}` }, 400)
  await collect(seen, { method: 'GET', url: `/docs/${password}` }, 404)
  const origin = { origin: `https://${password}`, 'x-request-id': password }
  await collect(seen, { method: 'OPTIONS', url: login, headers: origin }, 204)

  const intact = { ...app.database }
  app.database.query = async () => {
    throw Object.assign(new Error('broken'), { detail: `Key (email)=(${password})`, where: password })
  }
  await post(login, { email, password }, 500)
  await post(register, { email: 'second@example.com', name: 'Owner', password }, 500)
  Object.assign(app.database, intact)
  return seen
}

test('a password stands in no answer, no log line and no row', async () => {
  const seen = await driveEverywhere(CANARY)
  expect(app.logLines.length).toBeGreaterThan(8)
  const rows = await app.database.query('select * from users')
  for (const text of [...seen, ...app.logLines, JSON.stringify(rows)]) {
    expect(text.toLowerCase()).not.toContain(CANARY.toLowerCase())
    expect(text).not.toContain(Buffer.from(CANARY).toString('base64'))
  }
})

test('no token, hash or e-mail address stands in the log', async () => {
  const user = await app.newUser({ email: 'canary-person@example.com' })
  await user.get('/api/auth/profile')
  await user.put('/api/auth/profile', { name: 'Renamed' })
  await app.post('/api/auth/login', { email: user.email, password: 'wr0ng-Password!' })
  await app.get('/api/auth/profile', `${user.token}x`)
  await user.post('/api/auth/logout')
  const log = app.logLines.join('')
  const [, payload, signature] = user.token.split('.')
  for (const secret of [
    'canary-person',
    payload!,
    signature!,
    '$2b$',
    'password_hash',
    'Bearer',
    user.password,
  ]) {
    expect(log).not.toContain(secret)
  }
  expect(log).toContain(user.id)
})

test('nothing that a client sends breaks out of its line of the log', async () => {
  const forged = '{"level":"info","event":"login","user_id":"forged"}'
  const payloads = [
    `\r\n${forged}\r\n`,
    `\u001B[2J\u001B[31m${forged}`,
    `\u2028${forged}\u2029`,
    `","forged":"`,
  ]
  const logged = app.logLines.length
  for (const text of payloads) {
    const user = await app.newUser()
    const inHeader = encodeURIComponent(text)
    const headers = { 'user-agent': inHeader, 'x-request-id': inHeader, 'x-forwarded-for': inHeader }
    const send = (method: 'POST' | 'PUT', url: string, payload: object) =>
      app.send({ method, url, headers: { ...headers, authorization: `Bearer ${user.token}` }, payload })
    await send('POST', '/api/auth/login', { email: `a${text}@example.com`, password: text })
    await send('POST', '/api/auth/login', { email: user.email, password: text })
    await send('POST', '/api/auth/register', { email: text, name: text, password: text })
    await send('PUT', '/api/auth/profile', { name: text })
    await send('PUT', `/api/auth/profile?q=${inHeader}`, { name: 'Renamed' })
    const intact = { ...app.database }
    app.database.query = () => Promise.reject(new Error(text))
    expect((await send('PUT', '/api/auth/profile', { name: 'Any' })).status).toBe(500)
    Object.assign(app.database, intact)
    await send('POST', '/api/auth/logout', { text })
  }
  const lines = app.logLines.slice(logged)
  expect(lines.length).toBeGreaterThan(payloads.length * 3)
  for (const line of lines) {
    expect(line).toMatch(/^[^\r\n\u001B]+\n$/)
    const entry = JSON.parse(line)
    expect(entry).not.toHaveProperty('forged')
    expect(entry.user_id).not.toBe('forged')
  }
})
