import { decodeProtectedHeader } from 'jose'
import type { TestApp } from '../support/test-app.js'

export const ENCRYPTION_SECRET = 'tB6yWq1ZsXn8RmVc4LdKf7PjHg2UeAo9'
export const KEYS = '/.well-known/jwks.json'
/** Life of an access token, in seconds. */
export const TTL = 600

/** Settings of a server that signs with a key pair. */
export const withKeys = (algorithm: string, more: Record<string, string> = {}) => ({
  BETTER_AUTH_SECRET: '',
  JWT_ALGORITHM: algorithm,
  KEY_ENCRYPTION_SECRET: ENCRYPTION_SECRET,
  ACCESS_TOKEN_TTL: String(TTL),
  ...more,
})

export const kidOf = (token: string): string | undefined => decodeProtectedHeader(token).kid

export const publishedBy = async (app: TestApp): Promise<string[]> =>
  (await app.get(KEYS)).body.keys.map(({ kid }: { kid: string }) => kid)

/** `let in`, or the code of the refusal. */
export const profileWith = async (app: TestApp, token: string): Promise<string> => {
  const { status, body } = await app.get('/api/auth/profile', token)
  return status === 200 ? 'let in' : body.code
}
