import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Principal } from '../core/access-token.js'
import { soleAuthorization } from '../core/bearer.js'
import { type Admission, type AdmissionOptions, admit } from './admission.js'
import type { Guard } from './guard.js'

declare global {
  // As other middleware for Express declares it too, so that they agree about one property.
  namespace Express {
    interface User extends Principal {}
    interface Request {
      /** Who the request's token speaks for; undefined without a guard, or without credentials where they are optional. */
      user?: User | undefined
    }
  }
}

/**
 * Middleware for Express 4 and 5 (and whatever else calls it with Node's own request and response) that sets
 * `request.user`. A refused request is answered with 401, `WWW-Authenticate` and a problem; nothing behind it runs.
 * Should the guard itself fail, `next` gets an error.
 */
export function guardMiddleware(guard: Guard, options: AdmissionOptions = {}) {
  return (
    request: IncomingMessage & { user?: Principal | undefined },
    response: ServerResponse,
    next: (error?: unknown) => void,
  ): void => {
    const settle = (admission: Admission): void => {
      switch (admission.kind) {
        case 'admitted':
          request.user = admission.principal ?? undefined
          return next()
        case 'refused': {
          const { status, headers, body } = admission.reply
          response.statusCode = status
          for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
          response.end(body)
          return
        }
        case 'failed':
          return next(admission.error)
      }
    }
    const authorization = soleAuthorization(request.rawHeaders, request.headers.authorization)
    const admission = admit(guard, authorization, options)
    // Whatever goes wrong after waiting (the request may have been answered by now) is for the error handler.
    // oxlint-disable-next-line promise/no-callback-in-promise
    if (admission instanceof Promise) admission.then(settle).catch(next)
    else settle(admission)
  }
}
