import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  PASSWORD,
  PRESENT,
  type Reply,
  SECRET,
  type TestApp,
  useTestApp,
  type User,
} from '../support/test-app.js'

const FEED_TOKEN = 'q2Zt7XwB9mKc4VnR8sLdYh3PfGj6UaEo'

type Kind = 'access token' | 'refresh token' | 'service token' | 'secret' | 'legacy token' | 'password'
const KINDS: readonly Kind[] = [
  'access token',
  'refresh token',
  'service token',
  'secret',
  'legacy token',
  'password',
]

function credential(kind: Kind, user: User): string {
  switch (kind) {
    case 'access token':
      return user.token
    case 'refresh token':
      return user.refreshToken
    case 'service token':
      return FEED_TOKEN
    case 'secret':
      return SECRET
    case 'legacy token':
      return signLegacy(user)
    case 'password':
      return PASSWORD
  }
}

/** As another stack with the same secret makes them: no `sid`, no `jti`, no `iss`. */
function signLegacy({ id, email }: User): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
  const exp = Math.floor(PRESENT / 1000) + 600
  const input = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: id, email, exp })}`
  return `${input}.${createHmac('sha256', SECRET).update(input).digest('base64url')}`
}

type Place = readonly [name: string, present: (app: TestApp, token: string) => Promise<Reply>]

const GUARDED: readonly Place[] = [
  ['POST /logout', (app, token) => app.post('/api/auth/logout', undefined, token)],
  ['POST /logout-all', (app, token) => app.post('/api/auth/logout-all', undefined, token)],
  ['GET /sessions', (app, token) => app.get('/api/auth/sessions', token)],
  ['DELETE /sessions/{id}', (app, token) => app.delete('/api/auth/sessions/none', token)],
  ['POST /password', (app, token) => app.post('/api/auth/password', newPassword, token)],
  ['GET /profile', (app, token) => app.get('/api/auth/profile', token)],
  ['PUT /profile', (app, token) => app.put('/api/auth/profile', { name: 'Ada' }, token)],
]
const newPassword = { current_password: PASSWORD, new_password: 'N3w-horse!staple' }

const REFRESH: Place = ['the body of /refresh', (app, token) => app.refresh(token)]
const REFRESH_HEADER: Place = [
  'the header of /refresh',
  (app, token) => app.post('/api/auth/refresh', {}, token),
]
const FEED: Place = ['GET /revocations', (app, token) => app.get('/api/auth/revocations', token)]
const PLACES = [...GUARDED, REFRESH, REFRESH_HEADER, FEED]

function isRight(kind: Kind, place: Place, acceptsLegacy: boolean): boolean {
  if (place === REFRESH) return kind === 'refresh token'
  if (place === FEED) return kind === 'service token'
  if (place === REFRESH_HEADER) return false
  return kind === 'access token' || (acceptsLegacy && kind === 'legacy token')
}

describe.each([
  ['by default', false],
  ['with legacy tokens accepted', true],
])('%s', (_, acceptsLegacy) => {
  const app = useTestApp({
    startAt: PRESENT,
    environment: {
      REVOCATION_FEED_TOKEN: FEED_TOKEN,
      ACCEPT_LEGACY_TOKENS: acceptsLegacy ? 'on' : 'off',
    },
  })

  describe.each(KINDS)('a %s', (kind) => {
    test.each(PLACES.map((place) => [place[0], isRight(kind, place, acceptsLegacy), place] as const))(
      'at %s: let in is %s',
      async (_name, letIn, [, present]) => {
        const user = await app.newUser()
        const reply = await present(app, credential(kind, user))
        if (letIn) {
          // 404 is for the session that it asked for.
          expect([200, 404]).toContain(reply.status)
          return
        }
        expect([400, 401]).toContain(reply.status)
        expect(reply.text).not.toMatch(/access_token|session_id|email"|created_at/)
        // A credential in a wrong place does no harm either.
        expect((await user.get('/api/auth/profile')).status).toBe(200)
        expect((await app.refresh(user.refreshToken)).status).toBe(200)
      },
    )
  })
})
