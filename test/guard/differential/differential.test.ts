import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CLAIMS } from '../../core/sample-token.js'
import { ROOT } from '../../support/keyward-process.js'
import { EDDSA, HS256, type Part, VICTIMS, type Victim } from '../attacks/victims.js'
import { type Case, mutatedToken } from './mutations.js'
import { BENCHES } from './oracle.js'
import { readLeniently, STRICTER_RULES } from './rules.js'

// More of them with DIFFERENTIAL_RUNS; see CONTRIBUTING.md.
const RUNS = Number(process.env.DIFFERENTIAL_RUNS ?? 4000)

/** The rules that stand between a token that jose accepts and the guard. */
const brokenRules = ({ bench, token }: Case): string[] => {
  const read = readLeniently(token)
  return Object.keys(STRICTER_RULES).filter((name) => STRICTER_RULES[name]?.(read, bench.setup, bench.ring))
}

test(`of ${RUNS} mutated tokens the guard accepts those that jose accepts, unless a rule of its own is broken`, {
  timeout: 60_000 + RUNS * 20,
}, async () => {
  const outcomes = { accepted: 0, stricter: 0, refused: 0 }
  // The seed is a new one each time, and part of the message when it fails.
  await fc.assert(
    fc.asyncProperty(mutatedToken, async ({ bench, token }) => {
      // Blanks around a header's value are not part of it (RFC 9110 §5.5), and several may follow the scheme.
      const sent = token.replaceAll(/^ +| +$/g, '')
      const accepted = bench.guardAccepts(sent)
      const oracle = await bench.joseAccepts(sent)
      const broken = oracle ? brokenRules({ bench, token: sent }) : []
      outcomes[accepted ? 'accepted' : oracle ? 'stricter' : 'refused']++
      expect({ accepted, broken }).toEqual({ accepted: oracle && broken.length === 0, broken })
    }),
    { numRuns: RUNS },
  )
  if (process.env.DIFFERENTIAL_RUNS !== undefined) process.stderr.write(`${JSON.stringify(outcomes)}\n`)
  // Else the tokens would be so wrong, or so right, that agreeing means nothing.
  for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(RUNS / 40)
})

describe('the rules of its own', () => {
  const withClaims = (victim: Victim, claims: Part): string => victim.token(victim.header, claims)
  const withHeader = (victim: Victim, header: object): string => victim.token({ ...victim.header, ...header })
  const { email: _, ...plain } = CLAIMS
  const BROKEN: Record<string, (victim: Victim) => string> = {
    'one spelling': ({ valid }) => `${valid.slice(0, -20)}\t${valid.slice(-20)}`,
    'plain UTF-8': (victim) => withClaims(victim, `\ufeff${JSON.stringify(plain)}`),
    'at most 4096 characters': (victim) => withClaims(victim, { ...CLAIMS, padding: 'x'.repeat(4000) }),
    'no extensions': (victim) => withHeader(victim, { b64: true }),
    'one type': (victim) => withHeader(victim, { typ: 'refresh+jwt' }),
    // A secret has no name, but whoever names a key means that one.
    'the key by its name': (victim) =>
      withHeader(victim, { kid: victim.pair ? undefined : EDDSA.header.kid }),
    'no foreign audience': (victim) => withClaims(victim, { ...CLAIMS, aud: 'another-api' }),
    'ids that are UUIDs': (victim) => withClaims(victim, { ...CLAIMS, sub: '1' }),
    'finite times': (victim) =>
      withClaims(victim, JSON.stringify(CLAIMS).replace(/"exp":\d+/, '"exp":1e400')),
  }
  const bench = BENCHES.find(({ ring, setup }) => ring.length === 4 && Object.keys(setup).length === 0)!

  test.each(Object.entries(BROKEN))('“%s” refuses what jose accepts, with every key', async (name, forge) => {
    for (const victim of VICTIMS) {
      const token = forge(victim)
      expect(bench.guardAccepts(token), victim.algorithm).toBe(false)
      expect(brokenRules({ bench, token })).toEqual([name])
      expect(await bench.joseAccepts(token), victim.algorithm).toBe(true)
    }
    expect(bench.guardAccepts(HS256.valid)).toBe(true)
  })

  test('are all in docs/guard-rules.md, and nothing else is', () => {
    const page = readFileSync(`${ROOT}/docs/guard-rules.md`, 'utf8')
    const named = [...page.matchAll(/^\| \*\*(.+?)\*\* \|/gm)].map(([, name]) => name)
    expect(named).toEqual(Object.keys(STRICTER_RULES))
    expect(Object.keys(BROKEN)).toEqual(named)
  })
})
