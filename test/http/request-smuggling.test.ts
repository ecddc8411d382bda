import { afterEach, describe, expect, test } from 'vitest'
import { PASSWORD } from '../support/test-app.js'
import { expectRefusal, statusesOf, useListeningApp } from './raw-socket.js'

// A proxy in front and this server must see the same requests in the same bytes (ASVS 4.2.1, RFC 9112 §11.2).
const { app, exchange } = useListeningApp()

const REGISTRATION = JSON.stringify({ email: 'smuggled@example.com', name: 'Smuggled', password: PASSWORD })
const JSON_TYPE = 'Content-Type: application/json\r\n'
/** What an attacker hides in another request's body. */
const SMUGGLED =
  `POST /api/auth/register HTTP/1.1\r\nHost: x\r\n${JSON_TYPE}Connection: close\r\n` +
  `Content-Length: ${REGISTRATION.length}\r\n\r\n${REGISTRATION}`
const LAST = 'GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
const LOGIN = `POST /api/auth/login HTTP/1.1\r\nHost: x\r\n${JSON_TYPE}`

afterEach(async () => {
  await app.database.query('delete from users')
})

const isSmuggled = async (): Promise<boolean> =>
  (await app.database.query("select 1 from users where email = 'smuggled@example.com'")).length > 0

test('the request that the others hide would be carried out if it were seen', async () => {
  expect(statusesOf(await exchange(SMUGGLED))).toStrictEqual([201])
  expect(await isSmuggled()).toBe(true)
})

const CHUNKED = 'Transfer-Encoding: chunked\r\n'

describe('a body whose length could be read in two ways is refused, and nothing behind it is a request', () => {
  test.for([
    ['a length before chunks', `Content-Length: 5\r\n${CHUNKED}`, '0\r\n\r\n'],
    ['chunks before a length', `${CHUNKED}Content-Length: 5\r\n`, '0\r\n\r\n'],
    ['a length of zero beside chunks', `Content-Length: 0\r\n${CHUNKED}`, '0\r\n\r\n'],
    ['chunked twice in two headers', `${CHUNKED}${CHUNKED}`, '0\r\n\r\n'],
    ['chunked twice in one header', 'Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'],
    ['chunked and another coding in two headers', `${CHUNKED}Transfer-Encoding: x\r\n`, '0\r\n\r\n'],
    ['chunked before identity', 'Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'],
    ['a misspelt coding', 'Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'],
    ['a quoted coding', 'Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n'],
    ['a coding with a parameter', 'Transfer-Encoding: chunked;q=1\r\n', '0\r\n\r\n'],
    ['a coding after a vertical tab', 'Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n'],
    ['a coding with a NUL', 'Transfer-Encoding: chunked\0\r\n', '0\r\n\r\n'],
    ['a folded coding', 'Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'],
    ['an empty coding', 'Transfer-Encoding:\r\n', ''],
    ['an empty coding before a length', 'Transfer-Encoding:\r\nContent-Length: 2\r\n', '{}'],
    ['a length before an empty coding', 'Content-Length: 2\r\nTransfer-Encoding:\r\n', '{}'],
    ['another coding before chunked', 'Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'],
    ['nothing before chunked', 'Transfer-Encoding: ,chunked\r\n', '0\r\n\r\n'],
    ['a coding whose name ends with a space', 'Transfer-Encoding : chunked\r\n', '0\r\n\r\n'],
    ['a coding whose name begins with a space', ' Transfer-Encoding: chunked\r\n', '0\r\n\r\n'],
    ['a coding behind a bare line feed', 'X: y\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'],
    ['a coding behind a bare carriage return', 'X: y\rTransfer-Encoding: chunked\r\n', '0\r\n\r\n'],
    ['a length with a sign', 'Content-Length: +2\r\n', '{}'],
    ['a hexadecimal length', 'Content-Length: 0x2\r\n', '{}'],
    ['a length with a space inside', 'Content-Length: 2 2\r\n', '{}'],
    ['a fractional length', 'Content-Length: 2.0\r\n', '{}'],
    ['an empty length', 'Content-Length:\r\n', '{}'],
    ['a length past 64 bits', 'Content-Length: 18446744073709551618\r\n', '{}'],
    ['a length whose name ends with a space', 'Content-Length : 2\r\n', '{}'],
    ['a header without a colon', 'Content-Length 2\r\n', '{}'],
    ['a header without a name', ': 2\r\n', '{}'],
  ] as const)('%s', async ([, headers, body]) => {
    expectRefusal(await exchange(`${LOGIN}${headers}\r\n${body}${SMUGGLED}`), 'malformed_request')
    expect(await isSmuggled()).toBe(false)
  })
})

test('chunks in HTTP/1.0 are refused, and nothing behind them is a request', async () => {
  const login = LOGIN.replace('1.1', '1.0').replace('Host', 'Connection: keep-alive\r\nHost')
  expectRefusal(await exchange(`${login}${CHUNKED}\r\n0\r\n\r\n${SMUGGLED}`), 'malformed_request')
  expect(await isSmuggled()).toBe(false)
})

test('what comes in one packet with a refused body is not carried out, however quickly it could be', async () => {
  const user = await app.newUser()
  const logout = `POST /api/auth/logout HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${user.token}\r\nContent-Length: 0\r\n\r\n`
  const coding = 'Transfer-Encoding: gzip, chunked\r\n'
  expectRefusal(await exchange(`${LOGIN}${coding}\r\n0\r\n\r\n${logout}`), 'malformed_request')
  // It would have to wait for a log-out that is still at work.
  expect((await app.refresh(user.refreshToken)).status).toBe(200)
  expect(statusesOf(await exchange(`${logout}${LAST}`))).toStrictEqual([200, 200])
  expect((await app.refresh(user.refreshToken)).status).toBe(401)
})

describe('chunks that are not exactly as RFC 9112 §7.1 has them are refused', () => {
  test.for([
    ['a size with a prefix', '0x2\r\n{}\r\n0\r\n\r\n'],
    ['a size with a sign', '+2\r\n{}\r\n0\r\n\r\n'],
    ['a negative size', '-2\r\n{}\r\n0\r\n\r\n'],
    ['no size', '\r\n{}\r\n0\r\n\r\n'],
    ['a size past 64 bits', '10000000000000002\r\n{}\r\n0\r\n\r\n'],
    ['a space before the size', ' 2\r\n{}\r\n0\r\n\r\n'],
    ['a space after the size', '2 \r\n{}\r\n0\r\n\r\n'],
    ['a size that ends with a bare line feed', '2\n{}\r\n0\r\n\r\n'],
    ['a size that ends with a bare carriage return', '2\r{}\r\n0\r\n\r\n'],
    ['data longer than its size', '2\r\n{}{}\r\n0\r\n\r\n'],
    ['data that ends with a bare line feed', '2\r\n{}\n0\r\n\r\n'],
    ['an extension with a bare line feed', '2;a\n{}\r\n0\r\n\r\n'],
    ['an extension with a NUL', '2;a=\0\r\n{}\r\n0\r\n\r\n'],
    ['an endless extension', `2;a=${'x'.repeat(40_000)}\r\n{}\r\n0\r\n\r\n`],
    ['a trailer that speaks of length', '2\r\n{}\r\n0\r\nContent-Length: 500\r\n\r\n'],
    ['a trailer that is no header', '2\r\n{}\r\n0\r\nno header\r\n\r\n'],
  ] as const)('%s', async ([, chunks]) => {
    expectRefusal(await exchange(`${LOGIN}${CHUNKED}\r\n${chunks}${SMUGGLED}`), 'malformed_request')
    expect(await isSmuggled()).toBe(false)
  })

  test.for([
    ['an extension', '2;name=value\r\n{}\r\n0\r\n\r\n'],
    ['zeros before a size', '0000000002\r\n{}\r\n0\r\n\r\n'],
    ['a trailer', '2\r\n{}\r\n0\r\nX: y\r\n\r\n'],
  ] as const)('%s is read over', async ([, chunks]) => {
    const received = await exchange(`${LOGIN}${CHUNKED}\r\n${chunks}${LAST}`)
    expect(statusesOf(received)).toStrictEqual([400, 200])
    expect(received).toContain('"code":"validation_failed"')
  })

  test('trailers are no headers: none of them authenticates anybody', async () => {
    const { token } = await app.newUser()
    const trailer = `2\r\n{}\r\n0\r\nAuthorization: Bearer ${token}\r\n\r\n`
    const received = await exchange(
      `PUT /api/auth/profile HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${JSON_TYPE}${CHUNKED}\r\n${trailer}`,
    )
    expect(received).toContain('"code":"not_authenticated"')
  })
})

describe('a body that nobody reads is no request', () => {
  const framing = `${JSON_TYPE}Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`
  test.for([
    ['of a GET', 'GET /health/live', 200],
    ['of a HEAD', 'HEAD /health/live', 200],
    ['of an OPTIONS', 'OPTIONS /health/live', 204],
    ['at an address where nothing is', 'POST /nothing', 404],
    ['under another method', 'PATCH /api/auth/login', 405],
    ['of a request without credentials', 'PUT /api/auth/profile', 401],
  ] as const)('%s', async ([, target, status]) => {
    const received = await exchange(`${target} HTTP/1.1\r\nHost: x\r\n${framing}${LAST}`)
    expect(statusesOf(received)).toStrictEqual([status, 200])
    expect(await isSmuggled()).toBe(false)
  })

  test('in chunks', async () => {
    const chunk = `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`
    const received = await exchange(`GET /health/live HTTP/1.1\r\nHost: x\r\n${CHUNKED}\r\n${chunk}${LAST}`)
    expect(statusesOf(received)).toStrictEqual([200, 200])
    expect(await isSmuggled()).toBe(false)
  })
})

describe('of pipelined requests', () => {
  const COUNT = 500

  test('each gets its own reply, in their order', async () => {
    const requests = Array.from(
      { length: COUNT },
      (_, i) => `HEAD /${i % 3 ? 'health/live' : 'nothing'} HTTP/1.1\r\nHost: x\r\n\r\n`,
    )
    const received = await exchange(`${requests.join('')}${LAST}`)
    expect(statusesOf(received)).toStrictEqual([...requests.map((_, i) => (i % 3 ? 200 : 404)), 200])
  })

  test('the one that is garbage is refused after the others have had their replies', async () => {
    const register = SMUGGLED.replace('Connection: close\r\n', '').replaceAll('smuggled', 'pipeline')
    for (const garbage of [
      'garbage\r\n\r\n',
      `${LOGIN}Content-Length: x\r\n\r\n`,
      `${LOGIN}${CHUNKED}\r\nZZ\r\n`,
    ]) {
      await app.database.query('delete from users')
      const received = await exchange(`${register}${garbage}${garbage}${SMUGGLED}`)
      expect(statusesOf(received)).toStrictEqual([201, 400])
      expectRefusal(received.slice(received.lastIndexOf('HTTP/1.1')), 'malformed_request')
    }
    expect(await isSmuggled()).toBe(false)
  })

  test('those after one that closes the connection are not carried out', async () => {
    expect(statusesOf(await exchange(`${LAST}${SMUGGLED}`))).toStrictEqual([200])
    expect(await isSmuggled()).toBe(false)
  })
})
