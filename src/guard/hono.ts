import type { MiddlewareHandler } from 'hono'
import type { Principal } from '../core/access-token.js'
import { type AdmissionOptions, admit } from './admission.js'
import type { Guard } from './guard.js'

type Guarded<User> = MiddlewareHandler<{ Variables: { user: User } }>

/**
 * Middleware for Hono that sets `c.var.user`: who the request's token speaks for, or null without credentials where they
 * are optional. A refused request is answered with 401, `WWW-Authenticate` and a problem; nothing behind it runs.
 * Should the guard itself fail, `app.onError` gets an error.
 */
export function guardMiddleware(guard: Guard, options?: { readonly optional?: false }): Guarded<Principal>
export function guardMiddleware(guard: Guard, options: AdmissionOptions): Guarded<Principal | null>
export function guardMiddleware(guard: Guard, options: AdmissionOptions = {}): MiddlewareHandler {
  return async (c, next) => {
    const admission = await admit(guard, c.req.raw.headers.get('authorization'), options, readRequestId(c))
    switch (admission.kind) {
      case 'admitted':
        c.set('user', admission.principal)
        return next()
      case 'refused': {
        const { body, ...init } = admission.reply
        return new Response(body, init)
      }
      case 'failed':
        throw admission.error
    }
  }
}

/** As Hono's own `requestId()` sets it. */
function readRequestId(c: { get(key: string): unknown }): string | undefined {
  const id = c.get('requestId')
  return typeof id === 'string' ? id : undefined
}
