import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { readBearerToken, soleAuthorization } from '../core/bearer.js'
import { Refusal } from '../errors.js'

/** A hook that lets in only the holder of the service token; without one configured, nobody. */
export function requireFeedToken(feedToken: string | null): (request: FastifyRequest) => Promise<void> {
  const expected = feedToken === null ? null : digest(feedToken)
  return async (request) => {
    const { headers, raw } = request
    const presented = readBearerToken(soleAuthorization(raw.rawHeaders, headers.authorization))
    // Digests have one length, so the comparison takes the same time for every guess (ASVS 11.2.4).
    const isRight = expected !== null && presented !== null && timingSafeEqual(digest(presented), expected)
    if (!isRight) throw new Refusal('not_authenticated')
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
