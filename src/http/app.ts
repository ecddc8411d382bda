import { randomUUID } from 'node:crypto'
import cors from '@fastify/cors'
import Fastify, { type FastifyInstance } from 'fastify'
import type { RefusedRequest, RequestContext } from '../core/auth-event.js'
import type { ProxyTrust } from '../core/client-address.js'
import { Refusal } from '../errors.js'
import { guardPlugin } from '../guard/fastify.js'
import type { Guard } from '../guard/guard.js'
import type { Log } from '../log.js'
import type { Api } from './api.js'
import { createAddressResolver } from './client-address.js'
import { constantHeaders } from './constant-headers.js'
import { serveDocs } from './docs.js'
import { replyWithProblems, sendError } from './error-reply.js'
import { acceptJsonOnly } from './json-body.js'
import { refuseOtherMethods } from './method-not-allowed.js'
import { isUnambiguous } from './request-framing.js'
import { limitRequests, type RequestLimits } from './request-limits.js'
import { addRoutes } from './routes.js'
import { SHARED_SCHEMAS } from './schemas.js'
import { createUnreadableRequests } from './unreadable-request.js'
import { contextOf } from './wire.js'

export interface AppOptions {
  readonly api: Api
  readonly guard: Guard
  readonly log: Log
  readonly corsOrigins: readonly string[]
  readonly docs: boolean
  readonly trustProxy: ProxyTrust
  readonly hsts: boolean
  /** Null for none. */
  readonly requestLimits: RequestLimits | null
  /** Milliseconds that only ever grow. */
  readonly monotonicMs: () => number
  /** Told of requests whose access token was forged, foreign, or of a session that has ended. */
  readonly onTokenRefused: (context: RequestContext) => void
  /** Told of requests that were refused for their form, or past the limits of requests. */
  readonly onRequestRefused: (refused: RefusedRequest) => void
  /** With any of which other services follow ended sessions. */
  readonly feedTokens: readonly string[]
}

/** docs/limits.md gives the same figures (a test compares them). */
export const MAX_BODY_BYTES = 16 * 1024
export const MAX_HEADER_BYTES = 16 * 1024
/** A client has this long to send its headers, and its whole request (slow-loris). */
export const HEADERS_TIMEOUT_MS = 10_000
export const REQUEST_TIMEOUT_MS = 20_000
/** A connection on which nothing moves is cut, also because its client does not read; above all waiting done here. */
const CONNECTION_TIMEOUT_MS = 120_000

/** Builds the HTTP side: everything from socket to rules and back. Call `ready()` or `listen()` on it. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { api, guard, log, requestLimits, onRequestRefused } = options
  const headersOfAll = constantHeaders(options.hsts)
  const unreadableRequests = createUnreadableRequests(headersOfAll, onRequestRefused)
  const resolveClientAddress = createAddressResolver(options.trustProxy, log)
  const listeners = { log, onRequestRefused }
  const distrusted = new WeakSet<object>()
  const app = Fastify({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: 2_000,
      // Refused below instead: Node answers a missing one without any problem document.
      requireHostHeader: false,
    },
    routerOptions: { ignoreTrailingSlash: true },
    // Requests that come in on open connections while closing are still served.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    genReqId: () => randomUUID(),
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        allErrors: true,
        allowUnionTypes: true,
      },
    },
    clientErrorHandler: unreadableRequests.answer,
    frameworkErrors: (error, request, reply) => {
      // No hook runs for these.
      resolveClientAddress(request)
      reply.headers({ ...headersOfAll, 'x-request-id': request.id })
      sendError(error, request, reply, listeners)
    },
  })

  // Node would drop those past the thousandth, though a proxy reads them: a second Host, the client's address.
  app.server.maxHeadersCount = 0
  replyWithProblems(app, listeners)
  acceptJsonOnly(app)
  app.decorateRequest('clientAddress', '')
  // Hooks that have nothing to wait for call back: a promise for each would cost every request.
  app.addHook('onRequest', (request, reply, done) => {
    resolveClientAddress(request)
    reply.headers(headersOfAll)
    reply.header('x-request-id', request.id)
    unreadableRequests.noteReply(request.raw.socket, reply.raw)
    const { socket } = request.raw
    if (isUnambiguous(request.raw) && !distrusted.has(socket)) return done()
    // Node hands out what has come with it, but it may be a part of this body (RFC 9112 §9.6).
    distrusted.add(socket)
    reply.header('connection', 'close')
    done(new Refusal('malformed_request'))
  })
  // Node answers any expectation but 100-continue with a bare 417; it may as well be ignored (RFC 9110 §10.1.1).
  app.server.on('checkExpectation', (request, response) => app.routing(request, response))
  await app.register(cors, {
    origin: [...options.corsOrigins],
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type'],
    exposedHeaders: ['RateLimit', 'RateLimit-Policy', 'Retry-After', 'WWW-Authenticate', 'X-Request-Id'],
    maxAge: 600,
    strictPreflight: false,
  })
  // After CORS: browsers may ask first as often as they like, and may read a refusal.
  if (requestLimits) limitRequests(app, requestLimits, options.monotonicMs)
  // Before the body: what it holds does not matter where nothing listens.
  app.addHook('onRequest', (request, _reply, done) => {
    done(request.is404 ? new Refusal('route_not_found') : undefined)
  })
  await app.register(guardPlugin, {
    guard,
    onRefused(request, reply, code) {
      if (code === 'invalid_token') options.onTokenRefused(contextOf(request, reply))
    },
  })
  for (const schema of SHARED_SCHEMAS) app.addSchema(schema)
  if (options.docs) await serveDocs(app)
  await app.register(async (scope) => {
    const routes: { method: string; url: string }[] = []
    scope.addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat()) routes.push({ method: each, url })
    })
    addRoutes(scope, api, guard, options.feedTokens)
    refuseOtherMethods(app, [...routes])
  })
  return app
}
