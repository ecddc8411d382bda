import { isUtf8 } from 'node:buffer'
import { EDDSA, ES256, RS256 } from '../attacks/victims.js'

/** How the guard and jose are both set up. */
export interface Setup {
  readonly audience?: 'api'
  readonly type?: 'at+jwt'
}

/** A token that jose accepts, taken apart as leniently as jose does it. */
export interface ReadToken {
  readonly text: string
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

export function readLeniently(text: string): ReadToken {
  const [header, claims] = text.split('.').map((segment) => {
    const bytes = Buffer.from(segment, 'base64url')
    return () => JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>
  })
  return { text, header: header?.() ?? {}, claims: claims?.() ?? {} }
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i
const isUuid = (value: unknown): boolean => typeof value === 'string' && UUID.test(value)
const segmentsOf = ({ text }: ReadToken): string[] => text.split('.')
const KIDS = new Map<unknown, string>([EDDSA, ES256, RS256].map((one) => [one.pair.jwk.kid, one.algorithm]))

/**
 * Where the guard is stricter than jose: the rules of docs/guard-rules.md, by their names there, each written a second
 * time, on its own.
 */
export const STRICTER_RULES: Readonly<
  Record<string, (token: ReadToken, setup: Setup, ring: readonly string[]) => boolean>
> = {
  'one spelling': (token) =>
    segmentsOf(token).some((each) => Buffer.from(each, 'base64url').toString('base64url') !== each),
  'plain UTF-8': (token) =>
    segmentsOf(token)
      .slice(0, 2)
      .map((each) => Buffer.from(each, 'base64url'))
      .some((bytes) => !isUtf8(bytes) || bytes.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf]))),
  'at most 4096 characters': ({ text }) => text.length > 4096,
  'no extensions': ({ header }) => 'crit' in header || 'b64' in header,
  'one type': ({ header: { typ } }, setup) =>
    setup.type === undefined &&
    typ !== undefined &&
    !(typeof typ === 'string' && typ.toLowerCase() === 'jwt'),
  'the key by its name': ({ header: { alg, kid } }, _, ring) =>
    alg === 'HS256' ? ring.includes(KIDS.get(kid) ?? '') : KIDS.get(kid) !== alg,
  'no foreign audience': ({ claims }, setup) => setup.audience === undefined && claims.aud !== undefined,
  'ids that are UUIDs': ({ claims: { sub, sid, jti } }) => ![sub, sid, jti].every(isUuid),
  'finite times': ({ claims: { exp, nbf, iat } }) =>
    [exp, nbf, iat].some((time) => time !== undefined && !Number.isFinite(time)),
}
