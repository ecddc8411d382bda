import { expect, test } from 'vitest'
import { PASSWORD } from '../support/test-app.js'
import { expectRefusal, useListeningApp } from './raw-socket.js'

// Node stops counting headers long before 16 KiB are full, and hides the rest; no proxy has to.
const { app, exchange } = useListeningApp({ environment: { TRUST_PROXY: '1' } })

const FILLING = Array.from({ length: 1_200 }, (_, i) => `a${i}:\r\n`).join('')
const GET = 'GET /api/auth/profile HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'

test('the address that a proxy adds behind a thousand headers is the client, not the one before them', async () => {
  const body = JSON.stringify({ email: 'forger@example.com', name: 'Forger', password: PASSWORD })
  await exchange(
    'POST /api/auth/register HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n' +
      `Content-Length: ${body.length}\r\nX-Forwarded-For: 198.51.100.66\r\n${FILLING}` +
      `X-Forwarded-For: 203.0.113.7\r\n\r\n${body}`,
  )
  expect(app.events('register').at(-1)).toMatchObject({ address: '203.0.113.7' })
})

test.for([
  ['a second Host', 'Host: y\r\n\r\n'],
  ['a coding before chunked', 'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
] as const)('%s behind a thousand headers is refused', async ([, rest]) => {
  expectRefusal(await exchange(`${GET}${FILLING}${rest}`), 'malformed_request')
})

test('a second token behind a thousand headers makes both useless', async () => {
  const { token } = await app.newUser()
  const received = await exchange(
    `${GET}Authorization: Bearer ${token}\r\n${FILLING}Authorization: Bearer x\r\n\r\n`,
  )
  expect(received).toContain('"code":"not_authenticated"')
})
