import type { IncomingMessage, ServerResponse } from 'node:http'
import { beforeEach, describe, expect, test } from 'vitest'
import type { KeywardClient } from '../../src/client/index.js'
import { useSmallServer } from '../support/small-server.js'
import { failureOf, type LoggedIn, useKeyward } from './keyward-client.js'

const keyward = useKeyward()
const { app, gateway } = keyward
const REFRESH = 'POST /api/auth/refresh'

interface Seen {
  readonly path: string
  readonly authorization: string | undefined
  readonly body: string
}

const seenByApi: Seen[] = []
const seenByStranger: Seen[] = []

async function note(seen: Seen[], request: IncomingMessage): Promise<Seen> {
  const body = Buffer.concat(await request.toArray()).toString()
  const entry = { path: request.url ?? '', authorization: request.headers.authorization, body }
  seen.push(entry)
  return entry
}

/** An API of the app's own: asks Keyward about the token, and answers 401 in the way its first path segment says. */
const api = useSmallServer(async (request: IncomingMessage, response: ServerResponse) => {
  const { path, authorization, body } = await note(seenByApi, request)
  if (path.startsWith('/to?')) {
    response.writeHead(307, { location: decodeURIComponent(path.slice('/to?'.length)) }).end()
    return
  }
  const judged = await app.get('/api/auth/profile', authorization?.replace('Bearer ', ''))
  if (judged.status === 200) return void response.end(body)
  const { 'www-authenticate': challenge, 'content-type': type } = judged.headers
  if (path === '/challenge') response.setHeader('www-authenticate', challenge as string)
  if (path === '/problem') response.setHeader('content-type', type as string)
  response.writeHead(judged.status).end(path === '/problem' ? judged.text : 'No')
})

const stranger = useSmallServer(async (request, response) => {
  await note(seenByStranger, request)
  response.end('got it')
})

let user: LoggedIn
let client: KeywardClient
beforeEach(async () => {
  user = await keyward.newUser({ apiOrigins: [api.url] })
  client = user.client
  gateway.forget()
  seenByApi.length = 0
  seenByStranger.length = 0
})

test('sends the token to an API that was named, whatever the form of the request', async () => {
  const url = `${api.url}/tasks`
  const inputs: Parameters<typeof fetch>[] = [
    [url, { method: 'PUT', body: 'tea' }],
    [new URL(url), { method: 'PUT', body: new Blob(['tea']) }],
    [new Request(url, { method: 'PUT', body: 'tea' })],
  ]
  for (const input of inputs) {
    const response = await client.fetch(...input)
    expect([response.status, await response.text()]).toEqual([200, 'tea'])
  }
  expect(gateway.operations).toEqual([])
})

test.each(['/challenge', '/problem'])(
  'refreshes once when an API refuses the token with a %s, and sends the body again',
  async (path) => {
    keyward.expireAccessTokens()
    const response = await client.fetch(api.url + path, { method: 'POST', body: 'milk' })
    expect([response.status, await response.text()]).toEqual([200, 'milk'])
    expect(gateway.operations).toEqual([REFRESH])
    expect(seenByApi.map(({ body }) => body)).toEqual(['milk', 'milk'])
    expect(new Set(seenByApi.map(({ authorization }) => authorization)).size).toBe(2)
  },
)

test('many requests refused at once cause one refresh', async () => {
  keyward.expireAccessTokens()
  const calls = Array.from({ length: 20 }, () => client.fetch(`${api.url}/challenge`))
  expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(calls.map(() => 200))
  expect(gateway.operations).toEqual([REFRESH])
})

test('a refusal that says nothing about the token is handed on as it is', async () => {
  keyward.expireAccessTokens()
  const response = await client.fetch(`${api.url}/silent`)
  expect([response.status, await response.text()]).toEqual([401, 'No'])
  expect(gateway.operations).toEqual([])
})

test('the refusal is handed on, readable, when the session has ended', async () => {
  await app.runUserCommand({ action: 'logout', who: user.id, password: null })
  const response = await client.fetch(`${api.url}/problem`)
  expect(response.status).toBe(401)
  expect(await response.json()).toMatchObject({ code: 'invalid_token' })
  expect(await client.user()).toBeNull()
})

test('when Keyward cannot be asked the call fails, rather than say that the session is over', async () => {
  keyward.expireAccessTokens()
  gateway.onNext(REFRESH, async () => ({ status: 503, body: '{"code":"overloaded"}' }))
  expect(await failureOf(client.fetch(`${api.url}/problem`))).toMatchObject({ code: 'overloaded' })
  expect(await client.user()).toMatchObject({ id: user.id })
})

test('without a session it sends no token', async () => {
  await client.logout()
  await client.fetch(`${api.url}/tasks`)
  expect(seenByApi.map(({ authorization }) => authorization)).toEqual([undefined])
})

test('an aborted request is not sent again', async () => {
  keyward.expireAccessTokens()
  const controller = new AbortController()
  gateway.onNext(REFRESH, async (forward) => {
    controller.abort(new Error('left'))
    return forward()
  })
  const failure = await failureOf(client.fetch(`${api.url}/challenge`, { signal: controller.signal }))
  expect(failure).toEqual(new Error('left'))
  expect(seenByApi).toHaveLength(1)
})

describe('never tells the token', () => {
  test('to an origin that was not named, and says so instead of sending anything', async () => {
    const failure = await failureOf(client.fetch(`${stranger.url}/tasks`))
    expect(failure).toBeInstanceOf(TypeError)
    expect(String(failure)).toContain(stranger.url)
    expect(seenByStranger).toEqual([])
  })

  test.each([
    ['another port', (origin: string) => origin.replace(/\d+$/, '1')],
    ['another name of the host', (origin: string) => origin.replace('127.0.0.1', 'localhost')],
    ['another scheme', (origin: string) => origin.replace('http:', 'https:')],
    ['the name as a user', (origin: string) => `${origin.replace('http://', 'http://x:')}@example.com`],
    ['a longer host name', (origin: string) => origin.replace('127.0.0.1', '127.0.0.1.example.com')],
    ['a backslash', () => `${stranger.url}\\@${api.url.slice('http://'.length)}`],
    ['data', () => 'data:text/plain,x'],
  ])('to %s', async (_what, vary) => {
    expect(await failureOf(client.fetch(`${vary(api.url)}/tasks`))).toBeInstanceOf(TypeError)
    expect([...seenByApi, ...seenByStranger]).toEqual([])
  })

  test.each([
    ['elsewhere', () => stranger.url],
    ['on the same origin, from where it could go on', () => `${api.url}/tasks`],
  ])('along a redirect %s', async (_what, target) => {
    const url = `${api.url}/to?${encodeURIComponent(target())}`
    expect(await failureOf(client.fetch(url))).toBeInstanceOf(TypeError)
    expect(await failureOf(client.fetch(url, { redirect: 'follow' }))).toBeInstanceOf(TypeError)
    expect((await client.fetch(url, { redirect: 'manual' })).status).toBe(307)
    expect(seenByApi.map(({ path }) => path)).toEqual(Array(3).fill(url.slice(api.url.length)))
    expect(seenByStranger).toEqual([])
  })

  test('to Keyward’s own origin, unless that is named as well', async () => {
    expect(await failureOf(client.fetch(`${gateway.url}/x`))).toBeInstanceOf(TypeError)
  })

  test('in an error', async () => {
    const token = JSON.parse([...user.storage.entries.values()][0] ?? '').access_token as string
    gateway.onNext('GET /api/auth/profile', async () => null)
    const failure = (await failureOf(client.readProfile())) as Error
    expect(JSON.stringify(failure) + failure.stack + String(failure.cause)).not.toContain(token)
  })
})

test.each([
  ['https://api.example.com/tasks'],
  ['https://api.example.com/'],
  ['https://API.example.com'],
  ['https://*.example.com'],
  ['api.example.com'],
  ['*'],
  [''],
  ['null'],
  ['file:///'],
])('%j is no origin, which is a mistake of the app’s', (origin) => {
  expect(() => keyward.newClient({ apiOrigins: [origin] })).toThrow(TypeError)
})
