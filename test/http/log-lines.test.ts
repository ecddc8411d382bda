import { describe, expect, onTestFinished, test } from 'vitest'
import { QUIET_FEED, readClaims, SECRET, useTestApp } from '../support/test-app.js'
import { macOf } from '../core/sample-token.js'

const app = useTestApp({ environment: { ...QUIET_FEED, RATE_LIMIT: 'on', TRUST_PROXY: '127.0.0.1' } })

const FORGED = '{"level":"info","event":"login","user_id":"forged"}'
const INJECTIONS: [what: string, text: string][] = [
  ['line breaks', `\r\n${FORGED}\r\n`],
  ['terminal escapes', `\u001B[2J\u001B[31m\u001B]0;x\u0007${FORGED}`],
  ['C1 controls', `\u0085${FORGED}\u009B2J\u0090\u009D`],
  ['separators of lines and paragraphs', `\u2028${FORGED}\u2029`],
  ['other breaks', `\u000B\u000C\u001C\u001D\u001E${FORGED}`],
  ['U+0000 and DEL', `\u0000${FORGED}\u007F\b`],
  ['half a surrogate pair', `\uD800${FORGED}\uDFFF`],
  ['bidirectional controls', `\u202E${FORGED}\u2066\u2069\u200F\u061C`],
  ['an end of the text', `","forged":"`],
  ['a backslash', `\\`],
]

/** What a terminal, a viewer of logs or a reader of lines could take for more than text. */
const RAW_CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/u

function expectPlainLines(lines: readonly string[]): void {
  for (const line of lines) {
    expect(line.slice(0, -1)).not.toMatch(RAW_CONTROL)
    expect(line.at(-1)).toBe('\n')
    const entry = JSON.parse(line)
    expect(entry).not.toHaveProperty('forged')
    expect(entry.user_id).not.toBe('forged')
  }
}

/** As far as a header can carry it: bytes for what is within Latin-1, else escaped. */
const inHeader = (text: string): string =>
  text.replace(/[^\t\x20-\x7E\x80-\xFF]/gu, (character) => encodeURIComponent(character.toWellFormed()))

function signed(header: object, claims: object): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const input = `${encode(header)}.${encode(claims)}`
  return `${input}.${macOf(input, 'sha256', SECRET)}`
}

describe.each(INJECTIONS)('a client that sends %s', (_, text) => {
  test('does not break out of its line of the log', async () => {
    const user = await app.newUser()
    const logged = app.logLines.length
    const header = inHeader(text)
    const send = (
      method: 'GET' | 'POST' | 'PUT' | 'DELETE',
      url: string,
      payload?: object,
      token = user.token,
    ) =>
      app.send({
        method,
        url,
        headers: {
          'user-agent': header,
          'x-request-id': header,
          'x-forwarded-for': `${header}, ${header}`,
          'x-forwarded-host': header,
          referer: header,
          authorization: `Bearer ${token}`,
        },
        ...(payload && { payload }),
      })
    const inPath = encodeURIComponent(text.toWellFormed())

    await send('POST', '/api/auth/login', { email: `a${text}@example.com`, password: text })
    await send('POST', '/api/auth/login', { email: `${text}a@example.com`, password: text })
    for (let i = 0; i < 6; i++)
      await send('POST', '/api/auth/login', { email: user.email, password: `${text}${i}` })
    await send('POST', '/api/auth/register', { email: text, name: text, password: text })
    await send('POST', '/api/auth/register', {
      email: user.email,
      name: 'Any',
      password: 'C0rrect-horse!battery',
    })
    await send('POST', '/api/auth/refresh', { refresh_token: text })
    await send('PUT', '/api/auth/profile', { name: text })
    await send('PUT', `/api/auth/profile?q=${inPath}`, { name: 'Renamed' })
    await send('POST', '/api/auth/password', { current_password: text, new_password: text })
    await send('DELETE', `/api/auth/sessions/${inPath}`)
    await send('GET', `/${inPath}`)
    const claims = readClaims(user.token)
    await send('GET', '/api/auth/profile', undefined, signed({ alg: 'HS256', typ: 'JWT', kid: text }, claims))
    await send('GET', '/api/auth/profile', undefined, signed({ alg: text, typ: text, kid: text }, claims))
    await send(
      'GET',
      '/api/auth/profile',
      undefined,
      signed({ alg: 'HS256' }, { ...claims, jti: text, email: text }),
    )
    await send('POST', '/api/auth/logout', { text })

    const lines = app.logLines.slice(logged)
    expect(lines.length).toBeGreaterThan(2)
    expectPlainLines(lines)
  })

  test('does not do so by an error of the database that repeats it', async () => {
    const user = await app.newUser()
    const logged = app.logLines.length
    const intact = { ...app.database }
    onTestFinished(() => void Object.assign(app.database, intact))
    const cause = Object.assign(new Error(`invalid input value: "${text}"`), { code: text })
    app.database.query = () => Promise.reject(Object.assign(new Error(text, { cause }), { name: text }))
    expect((await user.get('/api/auth/profile')).status).toBe(500)
    const lines = app.logLines.slice(logged)
    expectPlainLines(lines)
    const errors = lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 'error')
    // Nothing of it is lost.
    expect(errors).toMatchObject([{ err: { name: text, message: text, cause: { code: text } } }])
  })
})

test('an address is logged as the proxy wrote it only when it is one', async () => {
  const user = await app.newUser()
  for (const forwarded of [
    '203.0.113.5\u0085',
    '203.0.113.5%0a',
    'fe80::1%\u009B31m',
    '"203.0.113.5"',
    '203.0.113.5\u00A0x',
  ]) {
    await app.send({
      method: 'POST',
      url: '/api/auth/login',
      headers: { 'x-forwarded-for': forwarded },
      payload: { email: user.email, password: user.password },
    })
    expect(app.events('login').at(-1).address).toBe('127.0.0.1')
  }
})
