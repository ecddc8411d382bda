import { CLAIMS, NOW_SECONDS } from '../../core/sample-token.js'
import type { Forgery } from './forged-headers.js'
import type { Victim } from './victims.js'

/** Claims as JSON text, so that a value may be one that JSON.stringify would not write. */
const withRaw = (name: string, json: string): string => {
  const { [name]: _, ...rest } = CLAIMS as unknown as Record<string, unknown>
  return `{"${name}":${json},${JSON.stringify(rest).slice(1)}`
}

const NUMBERS = [
  '"9999999999"',
  'null',
  'true',
  'false',
  '[9999999999]',
  '{}',
  '1e400',
  '-1e400',
  'NaN',
  'Infinity',
]
const NO_UUIDS = ['""', '"1"', '7', 'null', 'true', '{}', '"admin"', '"00000000-0000-0000-0000-00000000000"']
const odd = (uuid: string): string[] => [
  `"${uuid} "`,
  `" ${uuid}"`,
  `"${uuid}\\n"`,
  `"{${uuid}}"`,
  `"urn:uuid:${uuid}"`,
  `["${uuid}"]`,
  `"${uuid.replaceAll('-', '')}"`,
]

/** Rightly signed tokens that are not for us, not for now, or not of the kind that is asked for. */
export function withWrongClaims({ header, token }: Victim): Forgery[] {
  const raw: [string, string[]][] = [
    ['exp', [...NUMBERS, '-1', '0', String(NOW_SECONDS), String(NOW_SECONDS - 0.5)]],
    ['nbf', [...NUMBERS, String(NOW_SECONDS + 1), String(NOW_SECONDS + 0.5)]],
    ['iat', NUMBERS],
    ['sub', [...NO_UUIDS, ...odd(CLAIMS.sub)]],
    ['sid', [...NO_UUIDS, ...odd(CLAIMS.sid)]],
    ['iss', ['"other"', '"Keyward"', '"keyward "', '["keyward"]', '""', 'null', '{}']],
    ['aud', ['"other"', '[]', '["other"]', 'null', '""', '{}']],
  ]
  const missing = ['exp', 'sub', 'iss', 'jti', 'sid'].map((name): Forgery => {
    const { [name]: _, ...rest } = CLAIMS as unknown as Record<string, unknown>
    // For HS256 without a `sid` beside it: with one it is no legacy token either.
    return [`no ${name}`, token(header, name === 'sid' ? { ...rest, sid: null } : rest)]
  })
  const types = ['at+jwt', 'refresh+jwt', 'JWT ', 'jwt/x', 'application/jwt', '', null, 7, ['JWT']]
  return [
    ...missing,
    ...raw.flatMap(([name, values]) =>
      values.map((json): Forgery => [`${name} ${json}`, token(header, withRaw(name, json))]),
    ),
    ...types.map((typ): Forgery => [`typ ${JSON.stringify(typ)}`, token({ ...header, typ })]),
    ['exp from a prototype', token(header, withRaw('exp', `1,"__proto__":{"exp":${CLAIMS.exp}}`))],
    [
      'a refresh token of another stack',
      token(header, { sub: CLAIMS.sub, exp: CLAIMS.exp, type: 'refresh' }),
    ],
  ]
}

/** Of two of one name the last one counts (RFC 7519 §4), also when it is the one that condemns. */
export function withDuplicateNames({ header, token }: Victim): Forgery[] {
  const claims = JSON.stringify(CLAIMS).slice(0, -1)
  const head = JSON.stringify(header).slice(0, -1)
  return [
    ['exp twice, the last over', token(header, `${claims},"exp":1}`)],
    ['exp twice, the last null', token(header, `${claims},"exp":null}`)],
    ['exp twice, once escaped', token(header, `${claims},"\\u0065xp":1}`)],
    ['iss twice, the last foreign', token(header, `${claims},"iss":"other"}`)],
    ['sub twice, the last nobody', token(header, `${claims},"sub":"admin"}`)],
    ['alg twice, the last none', token(`${head},"alg":"none"}`)],
    ['typ twice, the last foreign', token(`${head},"typ":"refresh+jwt"}`)],
    ['crit twice, the last null', token(`${head},"crit":["x"],"crit":null}`)],
  ]
}
