import type { FastifyRequest } from 'fastify'
import { soleAuthorization } from '../core/bearer.js'
import type { Guard } from '../guard/guard.js'
import type { ReadHolder } from '../sessions/start-session.js'

/** Reads who holds the access token of a request that needs none. A useless token is as good as none. */
export function readHolderOf(guard: Guard, { raw, headers }: FastifyRequest): ReadHolder {
  return () => {
    const verdict = guard.check(soleAuthorization(raw.rawHeaders, headers.authorization))
    // A promise: by a key that nobody here knows yet, which is not worth waiting for.
    return !(verdict instanceof Promise) && verdict.ok ? verdict.principal : null
  }
}
