import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { readBearerToken, soleAuthorization } from '../core/bearer.js'
import { Refusal } from '../errors.js'

/** A hook that lets in only holders of a service token; without one configured, nobody. */
export function requireFeedToken(feedTokens: readonly string[]): (request: FastifyRequest) => Promise<void> {
  const expected = feedTokens.map(digest)
  return async (request) => {
    const { headers, raw } = request
    const presented = readBearerToken(soleAuthorization(raw.rawHeaders, headers.authorization))
    if (presented === null) throw new Refusal('not_authenticated')
    const guess = digest(presented)
    // Digests have one length, so the comparison takes the same time for every guess (ASVS 11.2.4).
    if (!expected.some((each) => timingSafeEqual(guess, each))) throw new Refusal('not_authenticated')
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
