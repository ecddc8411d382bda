import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PASSWORD, type Reply, type User, useTestApp } from '../../support/test-app.js'
import { NOT_UTF8, requestTo } from './broken-requests.js'
import { type OpenApiDocument, type Operation, operationsOf } from './document.js'
import { createJudge } from './judge.js'
import type { Draft } from './valid-requests.js'

// Requests to each operation. More of them with FUZZ_RUNS; see CONTRIBUTING.md.
const RUNS = Number(process.env.FUZZ_RUNS ?? 60)
const FEED_TOKEN = 'Qm4rTs9WbYc3DfGh6KjEaJ8vXk2pQz7L'
const PATIENCE_MS = 10_000

const app = useTestApp({
  environment: {
    REVOCATION_FEED_TOKEN: FEED_TOKEN,
    RATE_LIMIT: 'on',
    RATE_LIMIT_REQUESTS: '1000000000',
    RATE_LIMIT_REGISTRATIONS: '1000000000',
    RATE_LIMIT_REFRESHES: '1000000000',
  },
})

/** A client with a live session; its address changes with it, for wrong guesses count against both. */
let user: User
let clients = 0
async function becomeAnother(): Promise<void> {
  user = await app.newUser({ email: `client-${++clients}@example.com` })
}

function fillIn(text: string): string {
  const known: Record<string, string> = {
    email: user.email,
    password: PASSWORD,
    refreshToken: user.refreshToken,
    sessionId: user.sessionId,
    bearer: user.token,
    unusedEmail: `unused-${clients}@example.com`,
    otherPassword: `${PASSWORD}2`,
    feed: FEED_TOKEN,
  }
  return text.replaceAll(/\{\{(\w+)\}\}/g, (whole, name: string) => known[name] ?? whole)
}

interface Sent {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly payload: Buffer | null
  readonly reply: Reply
}

async function send({ method, target, headers, body }: Draft): Promise<Sent> {
  const filled = {
    method,
    target: fillIn(target),
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, fillIn(text)])),
    payload: body === null ? null : toBytes(fillIn(body)),
  }
  const reply = await app.send({
    method: method as 'GET',
    url: filled.target,
    headers: filled.headers,
    remoteAddress: `10.${clients >> 16}.${(clients >> 8) & 255}.${clients & 255}`,
    ...(filled.payload && { payload: filled.payload }),
  })
  return { ...filled, reply }
}

const toBytes = (text: string): Buffer => {
  const [first = '', ...others] = text.split(NOT_UTF8)
  return Buffer.concat([
    Buffer.from(first),
    ...others.flatMap((part) => [Buffer.of(0xff), Buffer.from(part)]),
  ])
}

test(`${RUNS} requests to each operation, valid and broken, are answered as the document says`, {
  timeout: 120_000 + RUNS * 2_000,
}, async () => {
  const document: OpenApiDocument = (await app.get('/openapi.json')).body
  const { judge, allowsBody } = createJudge(document)
  const credentials: Record<string, () => string> = { bearer: () => user.token, feed: () => FEED_TOKEN }

  /** What an answer must not have been given for. */
  function expectDeserved(operation: Operation, { headers, payload }: Sent): void {
    const { scheme } = operation
    if (scheme !== null)
      expect(headers.authorization?.replace(/^bearer +| +$/gi, '')).toBe(credentials[scheme]?.())
    if (operation.body === null) return
    const text = payload?.toString().replace(/^\ufeff/, '') ?? ''
    expect(allowsBody(operation, text === '' ? undefined : JSON.parse(text))).toBe(true)
  }

  await becomeAnother()
  for (const operation of operationsOf(document)) {
    const met: Record<string, number> = {}
    // The seed is a new one each time, and part of the message when it fails.
    await fc.assert(
      fc.asyncProperty(requestTo(operation), async (draft) => {
        const sent = await send(draft)
        const { method, target, reply } = sent
        const answering = judge({ method, target, reply })
        if (answering && reply.status < 300) expectDeserved(answering, sent)
        if (answering?.operationId === operation.operationId) met[reply.status] = (met[reply.status] ?? 0) + 1
        // Its session may have ended, its token be spent, its guesses used up.
        const isChange = reply.status < 300 && method !== 'GET'
        if (isChange || reply.status === 429) await becomeAnother()
      }),
      { numRuns: RUNS, timeout: PATIENCE_MS },
    )
    if (process.env.FUZZ_RUNS !== undefined) {
      process.stderr.write(`${operation.operationId}: ${JSON.stringify(met)}\n`)
    }
    expect(Object.keys(met), `${operation.operationId} never succeeded`).toContainEqual(
      expect.stringMatching(/^2/),
    )
  }
  expect(app.logLines.filter((line) => JSON.parse(line).level === 'error')).toStrictEqual([])
})
