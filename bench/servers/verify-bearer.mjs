// The least that checks an HS256 token: one HMAC with a prepared key, a comparison, and the expiry.
import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'

const key = createSecretKey(Buffer.from(process.env.BETTER_AUTH_SECRET))

/** The claims, or null. */
export function verifyBearer(authorization) {
  if (!authorization?.startsWith('Bearer ')) return null
  const [header, payload, signature] = authorization.slice(7).split('.')
  if (signature === undefined) return null
  const expected = createHmac('sha256', key).update(`${header}.${payload}`).digest()
  const given = Buffer.from(signature, 'base64url')
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
  return claims.exp > Date.now() / 1000 ? claims : null
}
