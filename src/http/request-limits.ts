import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { toAddressBlock } from '../core/address-block.js'
import { createMemo } from '../core/memo.js'
import { createWindowCounter, type WindowCounter } from '../core/window-counter.js'
import { Refusal } from '../errors.js'

/** Requests that one client may send in a minute: in all, and of those the costly ones. */
export interface RequestLimits {
  readonly requests: number
  readonly registrations: number
  readonly refreshes: number
}

type LimitName = keyof RequestLimits

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A limit of its own, beside that of all requests; null for a route that has none at all. */
    readonly limit?: Exclude<LimitName, 'requests'> | null
  }
}

/** docs/limits.md gives the same figures (a test compares them). */
export const WINDOW_SECONDS = 60
/** Clients told apart in one window; what comes from further ones is let through. */
export const MAX_CLIENTS = 100_000
/** Folding an IPv6 address takes far longer than all else here, and clients come again. */
const REMEMBERED_ADDRESSES = 10_000

interface Limit {
  readonly name: LimitName
  readonly quota: number
  readonly count: WindowCounter
}

/**
 * Limits every route that is added after it, and addresses without a route, by the client's address: in memory, each
 * node for itself. Answers carry `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers).
 */
export function limitRequests(app: FastifyInstance, limits: RequestLimits, monotonicMs: () => number): void {
  const limitOf = (name: LimitName): Limit => ({
    name,
    quota: limits[name],
    count: createWindowCounter(MAX_CLIENTS),
  })
  const all = limitOf('requests')
  const limitAll = createHook([all], monotonicMs)
  const limitOwn = {
    registrations: createHook([all, limitOf('registrations')], monotonicMs),
    refreshes: createHook([all, limitOf('refreshes')], monotonicMs),
  }

  app.addHook('onRoute', (route: RouteOptions) => {
    const limit = route.config?.limit
    if (limit === null) return
    const hook = limit === undefined ? limitAll : limitOwn[limit]
    // Before anything of the route's own, so that a refusal costs nothing more.
    route.onRequest = [hook, ...[route.onRequest ?? []].flat()]
  })
  app.addHook('onRequest', (request, reply, done) => {
    if (request.is404) limitAll(request, reply, done)
    else done()
  })
}

const clientOf = createMemo(REMEMBERED_ADDRESSES, toAddressBlock)

type Hook = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void

function createHook(limits: readonly Limit[], monotonicMs: () => number): Hook {
  const policies = limits.map(({ name, quota }) => `"${name}";q=${quota};w=${WINDOW_SECONDS}`).join(', ')
  return ({ clientAddress }, reply, done) => {
    const client = clientOf(clientAddress)
    const now = monotonicMs() / 1000
    const window = Math.floor(now / WINDOW_SECONDS)
    const secondsLeft = Math.ceil((window + 1) * WINDOW_SECONDS - now)
    let isOver = false
    let state = ''
    for (const { name, quota, count } of limits) {
      const remaining = quota - count(client, window)
      isOver ||= remaining < 0
      state += `${state && ', '}"${name}";r=${Math.max(0, remaining)};t=${secondsLeft}`
    }
    reply.header('ratelimit-policy', policies)
    reply.header('ratelimit', state)
    done(isOver ? new Refusal('too_many_requests', { retryAfterSeconds: secondsLeft }) : undefined)
  }
}
