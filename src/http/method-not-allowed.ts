import { METHODS } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { Refusal } from '../errors.js'

// CONNECT never reaches a router; OPTIONS is answered for CORS.
const UNROUTED = new Set(['CONNECT', 'OPTIONS'])

/** Answers 405 with `Allow` (RFC 9110 §15.5.6) for every method that an address of these routes does not have. */
export function refuseOtherMethods(
  app: FastifyInstance,
  routes: readonly { readonly method: string; readonly url: string }[],
): void {
  const methods = METHODS.filter((method) => !UNROUTED.has(method))
  for (const method of methods) {
    if (!app.supportedMethods.includes(method)) app.addHttpMethod(method, { hasBody: true })
  }
  for (const url of new Set(routes.map((route) => route.url))) {
    const allowed = routes.filter((route) => route.url === url).map((route) => route.method)
    app.route({
      url,
      method: methods.filter((method) => !allowed.includes(method)),
      schema: { hide: true },
      // Before the body: what it holds no longer matters.
      onRequest: async (_request, reply) => {
        reply.header('allow', allowed.join(', '))
        throw new Refusal('method_not_allowed')
      },
      handler: () => undefined,
    })
  }
}
