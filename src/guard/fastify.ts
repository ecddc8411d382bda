import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Principal } from '../core/access-token.js'
import { soleAuthorization } from '../core/bearer.js'
import type { ErrorCode } from '../errors.js'
import { type Admission, type AdmissionOptions, admit } from './admission.js'
import type { Guard } from './guard.js'

type GuardHook = (
  this: void,
  request: FastifyRequest,
  reply: FastifyReply,
  done: (error?: Error) => void,
) => void

declare module 'fastify' {
  interface FastifyRequest {
    /** Who the request's token speaks for. Reading it where nobody is known throws. */
    readonly user: Principal
    /** The same on a route under `authenticateOptionally`: null for a request that came without credentials. */
    readonly optionalUser: Principal | null
  }
  interface FastifyInstance {
    /** The hook that protects a route, or a scope of routes: use it as `onRequest`. */
    readonly authenticate: GuardHook
    /** The hook for a route that strangers may use too: it lets requests without any credentials go on. */
    readonly authenticateOptionally: GuardHook
  }
}

const PRINCIPAL = Symbol('keyward.principal')
type GuardedRequest = FastifyRequest & { [PRINCIPAL]?: Principal | null | undefined }

export interface GuardPluginOptions {
  readonly guard: Guard
  /** Told of each request that is refused, before it is answered; for a log. It must not throw. */
  readonly onRefused?: (request: FastifyRequest, reply: FastifyReply, code: ErrorCode) => void
}

/**
 * Adds `request.user` and the hook `app.authenticate` to a Fastify application, and the same for routes where credentials
 * are optional. A refused request is answered with 401, `WWW-Authenticate` and a problem; its handler does not run.
 */
export async function guardPlugin(app: FastifyInstance, options: GuardPluginOptions): Promise<void> {
  app.decorateRequest(PRINCIPAL, undefined)
  app.decorateRequest('user', {
    getter(this: GuardedRequest): Principal {
      const principal = this[PRINCIPAL]
      if (!principal) throw new Error('request.user was read on a route without app.authenticate')
      return principal
    },
  })
  app.decorateRequest('optionalUser', {
    getter(this: GuardedRequest): Principal | null {
      const principal = this[PRINCIPAL]
      if (principal === undefined) throw new Error('request.optionalUser was read on a route without a guard')
      return principal
    },
  })
  app.decorate('authenticate', createHook(options, { optional: false }))
  app.decorate('authenticateOptionally', createHook(options, { optional: true }))
}

/** With a callback: a promise for every request would cost more than the check itself. */
function createHook({ guard, onRefused }: GuardPluginOptions, options: AdmissionOptions): GuardHook {
  return (request: GuardedRequest, reply, done) => {
    const settle = (admission: Admission): void => {
      switch (admission.kind) {
        case 'admitted':
          request[PRINCIPAL] = admission.principal
          return done()
        case 'refused': {
          const { status, headers, body } = admission.reply
          onRefused?.(request, reply, admission.code)
          reply.code(status).headers(headers).send(body)
          return
        }
        case 'failed':
          return done(admission.error)
      }
    }
    const authorization = soleAuthorization(request.raw.rawHeaders, request.headers.authorization)
    const admission = admit(guard, authorization, options, request.id)
    if (admission instanceof Promise) void admission.then(settle)
    else settle(admission)
  }
}

// Fastify's mark for "no scope of its own": the decorators belong to the application that registers the plugin.
Object.assign(guardPlugin, { [Symbol.for('skip-override')]: true })
