import type { InjectOptions } from 'fastify'
import type { Operation } from './operations.js'
import { readClaims, type Reply, type User } from './test-app.js'

// Secrets that are driven through every operation and every way in which it can fail, to see where they turn up.

export const PASSWORD_CANARY = 'Canary-7f3a9c!'
export const NEW_PASSWORD_CANARY = 'Canary-e0b81d!'
/** Put by clients where no secret belongs. */
export const STRAY_CANARY = 'stray-canary-5d2e88'
export const EMAIL_CANARY = 'canary-owner'

/** A server to drive them through: in this process, or another one. */
export interface Target {
  send(request: InjectOptions): Promise<Reply>
  readonly feedToken: string
}

/** An account whose password is `PASSWORD_CANARY`, and its session. */
export type Owner = Pick<User, 'id' | 'email' | 'token' | 'refreshToken' | 'sessionId'>

export interface Driven {
  readonly operation: string
  readonly status: number
  /** What came back, without the tokens in the answers that are there to hand them out. */
  readonly text: string
}

/** What was answered, and every token that was handed out. */
export interface Drive {
  readonly replies: Driven[]
  readonly tokens: Set<string>
}

export const newDrive = (): Drive => ({ replies: [], tokens: new Set() })

const HANDS_OUT_TOKENS = new Set(['register', 'login', 'refresh'])
const JSON_TYPE = { 'content-type': 'application/json' }

/** Sends one request and takes down what came back. */
export async function record(
  drive: Drive,
  target: Target,
  operation: string,
  request: InjectOptions,
): Promise<number> {
  const { status, headers, body, text } = await target.send(request)
  const isHandOut = HANDS_OUT_TOKENS.has(operation) && status < 300
  const { access_token: access, refresh_token: refresh, ...rest } = isHandOut ? body : {}
  if (isHandOut) for (const token of [access, refresh]) drive.tokens.add(token)
  const seen = isHandOut ? JSON.stringify(rest) : text
  drive.replies.push({ operation, status, text: `${JSON.stringify(headers)}\n${seen}` })
  return status
}

interface Call {
  readonly operation: Operation
  readonly owner: Owner
  /** What makes it succeed. */
  readonly authorization: Readonly<Record<string, string>>
  readonly payload: Readonly<Record<string, unknown>> | null
  readonly url: string
}

let emails = 0
const newEmail = (): string => `${EMAIL_CANARY}-${++emails}@example.com`

export async function newOwner(target: Target): Promise<Owner> {
  const payload = { email: newEmail(), name: 'Owner', password: PASSWORD_CANARY }
  const { body, text } = await target.send({ method: 'POST', url: '/api/auth/register', payload })
  if (body.user === undefined) throw new Error(`could not register: ${text}`)
  const { access_token: token, refresh_token: refreshToken, user } = body
  return { id: user.id, email: user.email, token, refreshToken, sessionId: readClaims(token).sid }
}

/** A body that is accepted, of what the schema asks for. A new field has to be named here, and is then driven along. */
function valueOf(field: string, { id }: Operation, owner: Owner): unknown {
  const values: Record<string, unknown> = {
    email: id === 'register' ? newEmail() : owner.email,
    name: 'Owner',
    password: PASSWORD_CANARY,
    current_password: PASSWORD_CANARY,
    new_password: NEW_PASSWORD_CANARY,
    refresh_token: owner.refreshToken,
    keep_current: true,
  }
  if (!(field in values)) throw new Error(`say in test/support/canary.ts what ${id} takes as ${field}`)
  return values[field]
}

function prepare(drive: Drive, target: Target, operation: Operation, owner: Owner): Call {
  drive.tokens.add(owner.token).add(owner.refreshToken)
  const token = { user: owner.token, service: target.feedToken, none: null }[operation.credential ?? 'none']
  const fields = Object.keys(operation.body?.properties ?? {})
  return {
    operation,
    owner,
    authorization: token === null ? {} : { authorization: `Bearer ${token}` },
    payload:
      operation.body === null
        ? null
        : Object.fromEntries(fields.map((field) => [field, valueOf(field, operation, owner)])),
    url: operation.path.replace('{id}', owner.sessionId),
  }
}

/** The request as it should be, by this owner or a new one. Returns the status. */
export async function driveRight(
  drive: Drive,
  target: Target,
  operation: Operation,
  owner?: Owner,
): Promise<number> {
  const call = prepare(drive, target, operation, owner ?? (await newOwner(target)))
  const { authorization, payload, url } = call
  return record(drive, target, operation.id, {
    method: operation.method,
    url,
    headers: { ...authorization },
    ...(payload && { payload }),
  })
}

/** The request with secrets in every place where they do not belong, and broken in every way. */
export async function driveWrong(drive: Drive, target: Target, operation: Operation): Promise<void> {
  const owner = await newOwner(target)
  const call = prepare(drive, target, operation, owner)
  const secrets = [PASSWORD_CANARY, STRAY_CANARY, owner.token, owner.refreshToken, target.feedToken]
  for (const request of [
    ...strayHeaders(call, secrets),
    ...strayAddresses(call, secrets),
    ...brokenBodies(call),
  ]) {
    await record(drive, target, operation.id, { method: operation.method, url: call.url, ...request })
  }
}

type Wrong = Omit<InjectOptions, 'method'> & { readonly method?: 'PATCH' }

function strayHeaders({ owner, operation }: Call, secrets: readonly string[]): Wrong[] {
  const everywhere = Object.fromEntries(
    ['cookie', 'referer', 'x-api-key', 'x-auth-token', 'x-request-id', 'x-forwarded-for', 'origin'].map(
      (name) => [name, secrets.join(' ')],
    ),
  )
  const payload = operation.body === null ? {} : { payload: { email: 'nobody@example.com' } }
  const schemes = secrets.flatMap((secret) => [
    secret,
    `Bearer ${secret}x`,
    `Bearer a.${secret}.c`,
    `Basic ${Buffer.from(`${EMAIL_CANARY}:${secret}`).toString('base64')}`,
  ])
  return [undefined, `Bearer ${owner.token}.`, ...schemes].map((authorization) => ({
    headers: {
      ...everywhere,
      // Whoever logs in is shown it again, so only those who do not may hold a secret there.
      'user-agent': secrets[0]!,
      ...(authorization !== undefined && { authorization }),
    },
    ...payload,
  }))
}

function strayAddresses({ url, authorization, operation }: Call, secrets: readonly string[]): Wrong[] {
  const headers = { ...authorization }
  return secrets.flatMap((secret): Wrong[] => {
    const text = encodeURIComponent(secret)
    return [
      { url: `${url}?password=${text}&access_token=${text}&${text}=1` },
      { url: `${url}?after=${text}&wait=${text}`, headers },
      { url: operation.path.replace('{id}', text), headers },
      { url: `${url}/${text}`, headers },
      { url: `/${text}${url}`, headers },
      { url: `/%zz${text}`, headers },
      { url: `/docs/${text}` },
      { url: `${url}?token=${text}`, method: 'PATCH', headers },
    ]
  })
}

/** A password in a body that is refused, in each way in which one can be. */
function brokenBodies({ payload, authorization }: Call): Wrong[] {
  const fields = Object.keys(payload ?? { password: '' })
  const secret = PASSWORD_CANARY
  const right = payload ?? {}
  const each = (value: unknown) => Object.fromEntries(fields.map((field) => [field, value]))
  const bodies: (string | object)[] = [
    `{"password":"${secret}"`,
    `{"password":"${secret}","__proto__":{"${secret}":1}}`,
    secret,
    `"${secret}"`,
    `["${secret}"]`,
    each({ [secret]: secret }),
    each([secret]),
    each(`${secret}\u0000`),
    each(`${secret}\uD800`),
    // A name is kept and shown as it came, so it must not be the name that gets through.
    { ...each(secret), name: 7 },
    each(secret.repeat(30)),
    { ...right, email: secret },
    { ...right, email: `${secret}@example.com` },
    { ...right, name: `${secret}\u0007` },
    { ...right, new_password: 'short' },
    { [secret]: secret },
    { password: secret.repeat(2_000) },
  ]
  const json = bodies.map(
    (body): Wrong => ({
      headers: { ...JSON_TYPE, ...authorization },
      payload: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  )
  return [
    ...json,
    { headers: { 'content-type': `text/${secret}`, ...authorization }, payload: secret },
    {
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...authorization },
      payload: `password=${secret}`,
    },
  ]
}

/** Every spelling, in lower case, in which a secret could lie somewhere and still be read. */
export function spellingsOf(secret: string | Buffer): string[] {
  const bytes = Buffer.from(secret)
  const encoded = [
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
  ]
  const asText = typeof secret === 'string' ? [secret, encodeURIComponent(secret)] : []
  return [...new Set([...asText, ...encoded])].map((spelling) => spelling.toLowerCase())
}
