import type { FastifyRequest } from 'fastify'
import { createClientAddress, type ProxyTrust } from '../core/client-address.js'
import type { Log } from '../log.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Where the request comes from, as far as trusted proxies vouch for it. */
    clientAddress: string
  }
}

/**
 * Sets `request.clientAddress`. Fastify's own `trustProxy` would also believe the forwarded host and protocol; nothing
 * here may depend on those (ASVS 4.1.3).
 */
export function createAddressResolver(trust: ProxyTrust, log: Log): (request: FastifyRequest) => void {
  const clientAddressOf = createClientAddress(trust)
  let hasWarned = trust !== 0
  return (request) => {
    const { socket, headers } = request.raw
    // Node joins several of them.
    const forwardedFor = headers['x-forwarded-for'] as string | undefined
    request.clientAddress = clientAddressOf(socket.remoteAddress ?? '', forwardedFor)
    if (!hasWarned && forwardedFor !== undefined) {
      hasWarned = true
      log.warn('X-Forwarded-For arrives but TRUST_PROXY is off: behind a proxy, all clients count as one')
    }
  }
}
