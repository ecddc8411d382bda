import { expect, test } from 'vitest'
import { expectRefusal, statusesOf, useListeningApp } from './raw-socket.js'

const { app, exchange } = useListeningApp()

const LOGIN = 'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'

test.for([
  ['garbage', '\x00\x01\x02\x03 garbage\r\n\r\n'],
  ['a TLS handshake', Buffer.from('16030100c8010000c40303', 'hex')],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['an unknown version', 'GET /health/live HTTP/9.9\r\nHost: x\r\n\r\n'],
  ['an absurd method', 'FROBNICATE / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['a method in lower case', 'get /health/live HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['a missing Host', 'GET /health/live HTTP/1.1\r\nConnection: close\r\n\r\n'],
  ['a NUL in a header', 'GET /health/live HTTP/1.1\r\nHost: x\r\nX-A: a\x00b\r\n\r\n'],
  ['a space before the colon', 'GET /health/live HTTP/1.1\r\nHost : x\r\n\r\n'],
  ['a folded header', 'GET /health/live HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n'],
  ['bare line feeds', 'GET /health/live HTTP/1.1\nHost: x\n\n'],
  ['two lengths', `${LOGIN}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['two different lengths', `${LOGIN}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} `],
  ['the same length twice', `${LOGIN}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`],
  ['a negative length', `${LOGIN}Content-Length: -2\r\n\r\n{}`],
  ['a length that is no number', `${LOGIN}Content-Length: 2, 2\r\n\r\n{}`],
  ['an unknown transfer coding', `${LOGIN}Transfer-Encoding: gzip\r\n\r\n{}`],
  ['a coding after chunked', `${LOGIN}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`],
  ['a malformed chunk', `${LOGIN}Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n`],
] as const)('%s gets 400', async ([, bytes]) => {
  expectRefusal(await exchange(bytes), 'malformed_request')
})

test.for([
  ['one long header', `X-Long: ${'a'.repeat(17_000)}\r\n`],
  ['thousands of headers', 'X-Many: any value\r\n'.repeat(1_500)],
  ['a long token', `Authorization: Bearer ${'a'.repeat(17_000)}\r\n`],
] as const)('%s gets 431', async ([, headers]) => {
  const received = await exchange(`GET /api/auth/profile HTTP/1.1\r\nHost: x\r\n${headers}\r\n`)
  expectRefusal(received, 'headers_too_large')
})

test('an address of many kilobytes gets 431', async () => {
  const received = await exchange(`GET /${'a'.repeat(17_000)} HTTP/1.1\r\nHost: x\r\n\r\n`)
  expectRefusal(received, 'headers_too_large')
})

test('a body that breaks off is refused or cut off, and nothing comes of it', async () => {
  const body = '{"email":"half@example.com","name":"Half","password":"C0rrect-'
  const register = LOGIN.replace('login', 'register')
  for (const framing of ['Content-Length: 500\r\n\r\n', 'Transfer-Encoding: chunked\r\n\r\n40\r\n']) {
    const received = await exchange(`${register}${framing}${body}`, { thenEnd: true })
    if (received !== '') expectRefusal(received, 'malformed_request')
  }
  expect(await app.database.query("select 1 from users where email like 'half@%'")).toStrictEqual([])
  // Nothing has happened but that requests were refused.
  const events = app.logLines.map((line) => JSON.parse(line).event)
  expect(events.filter((event) => event !== 'request_refused')).toStrictEqual([])
})

test('a body that grows past 16 KiB is refused before it has arrived', async () => {
  const announced = await exchange(`${LOGIN}Content-Length: 1000000000\r\n\r\n{"email":`)
  expectRefusal(announced, 'body_too_large')
  const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`
  const growing = await exchange(`${LOGIN}Transfer-Encoding: chunked\r\n\r\n${chunk}${chunk}`)
  expectRefusal(growing, 'body_too_large')
})

test('two Authorization headers authenticate nobody', async () => {
  const { token } = await app.newUser()
  const send = (headers: string) =>
    exchange(`GET /api/auth/profile HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`)
  const good = `Authorization: Bearer ${token}\r\n`
  expectRefusal(await send(`${good}Authorization: Bearer other\r\n`), 'not_authenticated')
  expectRefusal(await send(`authorization: Basic eDp4\r\n${good}`), 'not_authenticated')
  expectRefusal(await send(`${good}${good}`), 'not_authenticated')
  expect(await send(good)).toMatch(/^HTTP\/1\.1 200 /)
})

test('two Authorization headers at a log-in end the session of neither', async () => {
  const user = await app.newUser()
  const body = JSON.stringify({ email: user.email, password: user.password })
  const good = `Authorization: Bearer ${user.token}\r\n`
  const send = (headers: string) =>
    exchange(`${LOGIN}Connection: close\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`)
  for (const headers of [`${good}Authorization: Bearer other\r\n`, `Authorization: Basic eDp4\r\n${good}`]) {
    expect(await send(headers)).toMatch(/^HTTP\/1\.1 200 /)
    expect((await user.get('/api/auth/profile')).status).toBe(200)
  }
  expect(await send(good)).toMatch(/^HTTP\/1\.1 200 /)
  expect((await user.get('/api/auth/profile')).status).toBe(401)
})

test('a tunnel is not opened', async () => {
  const received = await exchange('CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n')
  expect(received).toBe('')
})

test('an expectation that is not understood changes nothing', async () => {
  const received = await exchange(
    `${LOGIN}Expect: a-miracle\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
  )
  expect(received).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"validation_failed"/)
})

test('HTTP/1.0 needs no Host', async () => {
  expect(await exchange('GET /health/live HTTP/1.0\r\n\r\n')).toContain('{"status":"live"}')
})

test('of two requests in one packet each gets its own answer', async () => {
  const received = await exchange(
    'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\nGET /nope HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  )
  expect(statusesOf(received)).toStrictEqual([200, 404])
})

test('every answer is as long as it says', async () => {
  const { token } = await app.newUser()
  for (const [target, expected] of [
    ['GET /health/live', 200],
    ['GET /api/auth/profile', 200],
    ['GET /openapi.json', 200],
    ['GET /docs', 200],
    ['GET /nope', 404],
    ['DELETE /api/auth/login', 405],
  ] as const) {
    const received = await exchange(
      `${target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
    )
    const end = received.indexOf('\r\n\r\n')
    const [head, body] = [received.slice(0, end), received.slice(end + 4)]
    expect([target, head.split(' ')[1]]).toEqual([target, String(expected)])
    // One of the two, and not both (RFC 9112 §6.2).
    expect([target, /^transfer-encoding:/im.test(head)]).toEqual([target, false])
    expect([target, /^content-length: (\d+)$/im.exec(head)?.[1]]).toEqual([target, String(body.length)])
  }
})
