import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { PublicJwk } from '../core/signing-key.js'

/** So long may others go by a key set: short, because for as long they accept a key that was retired. */
const MAX_AGE_SECONDS = 60

/** Answers with a JWK Set that others may keep for a while, or with 304 when they have it (RFC 9110 §13.1.2). */
export function sendKeySet(
  request: FastifyRequest,
  reply: FastifyReply,
  keySet: { keys: PublicJwk[] },
): FastifyReply {
  const body = JSON.stringify(keySet)
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`
  reply.headers({ 'cache-control': `public, max-age=${MAX_AGE_SECONDS}`, etag })
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send()
  return reply.type('application/json; charset=utf-8').send(body)
}

function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  const known = ifNoneMatch?.split(',').map((each) => each.trim().replace(/^W\//, '')) ?? []
  return known.includes(etag) || known.includes('*')
}
