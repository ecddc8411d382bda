import {
  createHmac,
  createPublicKey,
  createSecretKey,
  type KeyObject,
  randomUUID,
  timingSafeEqual,
  verify,
} from 'node:crypto'
import { createGuard } from 'keyward/guard'
import { signAccessToken } from '../../src/core/access-token.js'
import {
  createSecret,
  generatePrivateKey,
  type SigningKey,
  TOKEN_ALGORITHMS,
  type TokenAlgorithm,
} from '../../src/core/signing-key.js'
import { asMicroseconds, asRatio, type Findings, withRange } from '../findings.js'
import { inTurn, ratios, spread } from '../rounds.js'
import { SECRET } from '../servers/keyward.js'
import type { Stage } from '../stage.js'

/** So many that none is in the processor's cache by chance, and no two checks are of the same bytes. */
const TOKENS = 1_000
const VISIT_MS = 300
/** Visits are short, and there are many of them. */
const ROUNDS_PER_ROUND = 3

/** What checks the token of this number. */
type Check = (at: number) => boolean

interface Contest {
  readonly guard: Check
  readonly bare: Check
}

export async function measureGuard(stage: Stage): Promise<Findings> {
  const rows = []
  for (const algorithm of TOKEN_ALGORITHMS) {
    const { guard, bare } = await createContest(algorithm)
    const measured = await inTurn(stage.rounds * ROUNDS_PER_ROUND, {
      guard: async () => microsecondsPer(guard),
      bare: async () => microsecondsPer(bare),
    })
    rows.push([
      algorithm,
      withRange(spread(measured.guard), asMicroseconds),
      withRange(spread(measured.bare), asMicroseconds),
      withRange(ratios(measured.guard, measured.bare), asRatio),
    ])
  }
  return {
    tables: [{ head: ['one token', '`createGuard`', 'node:crypto alone', 'guard / node:crypto'], rows }],
    reaches: [],
  }
}

async function createContest(algorithm: TokenAlgorithm): Promise<Contest> {
  if (algorithm === 'HS256') {
    const tokens = makeTokens(createSecret(SECRET))
    const key = createSecretKey(Buffer.from(SECRET))
    return { guard: checkWith(createGuard({ secret: SECRET }), tokens), bare: compareMacs(key, tokens) }
  }
  const key = await generatePrivateKey(algorithm)
  const tokens = makeTokens(key)
  const publicKey = createPublicKey({ key: key.jwk, format: 'jwk' })
  return {
    guard: checkWith(createGuard({ keys: [key.jwk] }), tokens),
    bare: verifySignatures(publicKey, algorithm === 'EdDSA' ? null : 'sha256', tokens),
  }
}

/** As Keyward makes them, each for somebody else. */
function makeTokens(key: SigningKey): string[] {
  const iat = Math.floor(Date.now() / 1000)
  return Array.from({ length: TOKENS }, (_, i) =>
    signAccessToken(key, {
      sub: randomUUID(),
      email: `user-${i}@example.com`,
      iat,
      exp: iat + 3_600,
      jti: randomUUID(),
      sid: randomUUID(),
      iss: 'keyward',
    }),
  )
}

function checkWith(guard: ReturnType<typeof createGuard>, tokens: readonly string[]): Check {
  const headers = tokens.map((token) => `Bearer ${token}`)
  return (at) => {
    const verdict = guard.check(headers[at])
    return !(verdict instanceof Promise) && verdict.ok
  }
}

/** What is signed and the signature, as bytes: nothing is left to do but to check the one with the other. */
function splitTokens(tokens: readonly string[]): { input: Buffer; signature: Buffer }[] {
  return tokens.map((token) => {
    const dot = token.lastIndexOf('.')
    return {
      input: Buffer.from(token.slice(0, dot)),
      signature: Buffer.from(token.slice(dot + 1), 'base64url'),
    }
  })
}

function compareMacs(key: KeyObject, tokens: readonly string[]): Check {
  const parts = splitTokens(tokens)
  return (at) => {
    const part = parts[at]
    if (part === undefined) return false
    return timingSafeEqual(createHmac('sha256', key).update(part.input).digest(), part.signature)
  }
}

function verifySignatures(key: KeyObject, digest: string | null, tokens: readonly string[]): Check {
  const parts = splitTokens(tokens)
  const options = { key, dsaEncoding: 'ieee-p1363' } as const
  return (at) => {
    const part = parts[at]
    return part !== undefined && verify(digest, part.input, options, part.signature)
  }
}

function microsecondsPer(check: Check): number {
  let checks = 0
  const began = performance.now()
  let elapsed = 0
  while (elapsed < VISIT_MS) {
    for (let at = 0; at < TOKENS; at++) if (!check(at)) throw new Error('a valid token was refused')
    checks += TOKENS
    elapsed = performance.now() - began
  }
  return (elapsed * 1000) / checks
}
