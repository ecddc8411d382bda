import { createHmac } from 'node:crypto'
import type { AccessTokenClaims, TokenRules } from '../../src/core/access-token.js'
import { createKeyring } from '../../src/core/keyring.js'
import { createSecret } from '../../src/core/signing-key.js'

export const SECRET = 'mV3xqLw8ZrT5nKc1YbH7dFg2JsPa9eUo'
export const KEY = createSecret(SECRET)
export const KEYRING = createKeyring([KEY])
export const RULES: TokenRules = {
  issuer: 'keyward',
  audiences: [],
  type: 'JWT',
  acceptLegacyTokens: false,
}

/** A whole second, in milliseconds; the claims say the same in seconds. */
export const NOW = Date.UTC(2026, 10, 22, 12, 0, 0)
export const NOW_SECONDS = NOW / 1000

export const CLAIMS: AccessTokenClaims = {
  sub: '7c0f8a52-63d3-4f0e-9b38-0f1f6a2f9c11',
  email: 'ada@example.com',
  iat: NOW_SECONDS - 60,
  exp: NOW_SECONDS + 3600,
  jti: 'b6f5c1de-2a34-4b8e-8d0a-5f0f1f3f7e22',
  sid: '1d9e7a60-0b7c-4a6f-a0c5-9d3f2b1c4e33',
  iss: 'keyward',
}

export const HEADER = { alg: 'HS256', typ: 'JWT' }

/** Text or bytes go in as they are; anything else as JSON. */
type Part = string | Buffer | object

const encode = (part: Part): string =>
  (typeof part === 'string' || Buffer.isBuffer(part)
    ? Buffer.from(part)
    : Buffer.from(JSON.stringify(part))
  ).toString('base64url')

export const macOf = (signingInput: string, hash = 'sha256', secret = SECRET): string =>
  createHmac(hash, secret).update(signingInput).digest('base64url')

/** A token of any content whose HS256 signature is right: what an attacker could not make, but a stranger's bug could. */
export function tokenOf(header: Part, payload: Part): string {
  const signingInput = `${encode(header)}.${encode(payload)}`
  return `${signingInput}.${macOf(signingInput)}`
}

/** `CLAIMS` with some replaced; `undefined` leaves one out. */
export const tokenWith = (claims: Readonly<Record<string, unknown>>): string =>
  tokenOf(HEADER, { ...CLAIMS, ...claims })
