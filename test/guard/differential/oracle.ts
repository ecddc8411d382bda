import { createLocalJWKSet, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { createGuard, type LocalGuard } from '../../../src/guard/index.js'
import { NOW, SECRET } from '../../core/sample-token.js'
import { EDDSA, ES256, HS256, RS256, type Victim } from '../attacks/victims.js'
import type { Setup } from './rules.js'

/** The same keys, rules and clock, twice: once for the guard, once for jose. */
export interface Bench {
  /** The algorithms of its keys. */
  readonly ring: readonly string[]
  readonly setup: Setup
  readonly guardAccepts: (token: string) => boolean
  readonly joseAccepts: (token: string) => Promise<boolean>
}

const SECRET_BYTES = Buffer.from(SECRET)

function createBench(victims: readonly Victim[], setup: Setup): Bench {
  const ring = victims.map(({ algorithm }) => algorithm)
  const keys = victims.flatMap(({ pair }) => (pair === null ? [] : [pair.jwk]))
  const guard: LocalGuard = createGuard({
    ...(victims.includes(HS256) && { secret: SECRET }),
    keys,
    jwksUrl: undefined,
    clock: () => NOW,
    ...setup,
  })
  const keySet = createLocalJWKSet({ keys })
  const findKey: JWTVerifyGetKey = (header, token) =>
    header.alg === 'HS256' ? SECRET_BYTES : keySet(header, token)
  const rules = {
    algorithms: ring,
    issuer: 'keyward',
    currentDate: new Date(NOW),
    requiredClaims: ['exp', 'sub', 'sid', 'jti'],
    ...(setup.audience && { audience: setup.audience }),
    // "JWT" is no explicit type (RFC 8725 §3.11): without one, jose is told nothing, and the rule "one type" is ours.
    ...(setup.type && { typ: setup.type }),
  }
  return {
    ring,
    setup,
    guardAccepts: (token) => guard.check(`Bearer ${token}`).ok,
    joseAccepts: (token) =>
      jwtVerify(token, findKey, rules).then(
        () => true,
        () => false,
      ),
  }
}

const SETUPS: readonly Setup[] = [{}, { audience: 'api' }, { type: 'at+jwt' }]
const RINGS = [[HS256], [EDDSA], [ES256], [RS256], [HS256, EDDSA, ES256, RS256]]
export const BENCHES: readonly Bench[] = RINGS.flatMap((ring) =>
  SETUPS.map((setup) => createBench(ring, setup)),
)
