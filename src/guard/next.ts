import type { Principal } from '../core/access-token.js'
import { type AdmissionOptions, admit } from './admission.js'
import type { Guard } from './guard.js'

/** A route handler that knows who calls it; `Rest` is what the server passes besides the request. */
type GuardedHandler<Req, User, Rest extends unknown[]> = (
  request: Req,
  user: User,
  ...rest: Rest
) => Response | Promise<Response>
type Handler<Req, Rest extends unknown[]> = (request: Req, ...rest: Rest) => Promise<Response>

/**
 * Protects a route handler of Next.js, or of any server that takes a web `Request` and wants a `Response`. The handler
 * gets who the request's token speaks for, or null without credentials where they are optional. A refused request is
 * answered with 401, `WWW-Authenticate` and a problem; the handler does not run. Rejects when the guard itself fails.
 * Of two `Authorization` headers, Next.js shows the first one alone; servers that show both see them refused.
 */
export function withGuard<Req extends Request, Rest extends unknown[]>(
  guard: Guard,
  handler: GuardedHandler<Req, Principal, Rest>,
  options?: { readonly optional?: false },
): Handler<Req, Rest>
export function withGuard<Req extends Request, Rest extends unknown[]>(
  guard: Guard,
  handler: GuardedHandler<Req, Principal | null, Rest>,
  options: AdmissionOptions,
): Handler<Req, Rest>
export function withGuard<Req extends Request, Rest extends unknown[]>(
  guard: Guard,
  handler: GuardedHandler<Req, Principal, Rest> | GuardedHandler<Req, Principal | null, Rest>,
  options: AdmissionOptions = {},
): Handler<Req, Rest> {
  const run = handler as GuardedHandler<Req, Principal | null, Rest>
  return async (request, ...rest) => {
    const admission = await admit(guard, request.headers.get('authorization'), options)
    switch (admission.kind) {
      case 'admitted':
        return run(request, admission.principal, ...rest)
      case 'refused': {
        const { body, ...init } = admission.reply
        return new Response(body, init)
      }
      case 'failed':
        throw admission.error
    }
  }
}
