import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Principal } from '../core/access-token.js'
import { soleAuthorization } from '../core/bearer.js'
import { challengeFor } from '../core/challenge.js'
import { PROBLEM_TYPE, problemOf } from '../core/problem.js'
import type { ErrorCode } from '../errors.js'
import type { Guard, GuardVerdict } from './guard.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who the request's token speaks for. Reading it on a route that the guard did not protect throws. */
    readonly user: Principal
  }
  interface FastifyInstance {
    /** The hook that protects a route, or a scope of routes: use it as `onRequest`. */
    authenticate(this: void, request: FastifyRequest, reply: FastifyReply, done: () => void): void
  }
}

/** For the refusals that pass by themselves: `revocation_stale` and `keys_unavailable`. */
const RETRY_AFTER_SECONDS = 1

const PRINCIPAL = Symbol('keyward.principal')
type GuardedRequest = FastifyRequest & { [PRINCIPAL]?: Principal | null }

export interface GuardPluginOptions {
  readonly guard: Guard
}

/**
 * Adds `request.user` and the hook `app.authenticate` to a Fastify application.
 * A refused request is answered with 401, `WWW-Authenticate` and a problem; its handler does not run.
 */
export async function guardPlugin(app: FastifyInstance, { guard }: GuardPluginOptions): Promise<void> {
  app.decorateRequest(PRINCIPAL, null)
  app.decorateRequest('user', {
    getter(this: GuardedRequest): Principal {
      const principal = this[PRINCIPAL]
      if (!principal) throw new Error('request.user was read on a route without app.authenticate')
      return principal
    },
  })
  // With a callback: a promise for every request would cost more than the check itself.
  app.decorate('authenticate', (request: GuardedRequest, reply: FastifyReply, done: () => void) => {
    const settle = (verdict: GuardVerdict): void => {
      if (!verdict.ok) return refuse(verdict.code, request, reply)
      request[PRINCIPAL] = verdict.principal
      done()
    }
    const verdict = guard.check(soleAuthorization(request.raw.rawHeaders, request.headers.authorization))
    if (verdict instanceof Promise) void verdict.then(settle)
    else settle(verdict)
  })
}

function refuse(code: ErrorCode, request: FastifyRequest, reply: FastifyReply): void {
  const problem = problemOf(code, request.id)
  const challenge = challengeFor(code)
  if (challenge === undefined) reply.header('retry-after', RETRY_AFTER_SECONDS)
  else reply.header('www-authenticate', challenge)
  reply.code(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem))
}

// Fastify's mark for "no scope of its own": the decorators belong to the application that registers the plugin.
Object.assign(guardPlugin, { [Symbol.for('skip-override')]: true })
