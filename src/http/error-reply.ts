import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { REQUEST_REFUSALS, type RefusedRequest } from '../core/auth-event.js'
import { challengeFor } from '../core/challenge.js'
import { PROBLEM_TYPE, problemOf } from '../core/problem.js'
import { type ErrorCode, type FieldError, Refusal } from '../errors.js'
import type { Log } from '../log.js'

/** Who hears of refusals beside the client. */
export interface RefusalListeners {
  readonly log: Log
  readonly onRequestRefused: (refused: RefusedRequest) => void
}

/** The single exit for everything that is not a success. Register it before any route. */
export function replyWithProblems(app: FastifyInstance, listeners: RefusalListeners): void {
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply, listeners))
  app.setNotFoundHandler((request, reply) =>
    sendError(new Refusal('route_not_found'), request, reply, listeners),
  )
}

export function sendError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  listeners: RefusalListeners,
): FastifyReply {
  const refusal = toRefusal(error, request)
  noteRefusal(refusal, request, listeners)
  logFailure(refusal, request, listeners.log)
  const challenge = challengeFor(refusal.code)
  if (challenge !== undefined) reply.header('www-authenticate', challenge)
  if (refusal.retryAfterSeconds !== undefined) reply.header('retry-after', refusal.retryAfterSeconds)
  return reply
    .code(refusal.status)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problemOf(refusal.code, request.id, refusal.errors)))
}

const isOfRequests = (code: ErrorCode): code is RefusedRequest['reason'] =>
  (REQUEST_REFUSALS as readonly ErrorCode[]).includes(code)

function noteRefusal(
  { code }: Refusal,
  request: FastifyRequest,
  { onRequestRefused }: RefusalListeners,
): void {
  const { id: requestId, clientAddress: address, method, routeOptions, raw } = request
  // A connection that is gone took the rest of the body with it: a hang-up, or what the parser has refused already.
  if (!isOfRequests(code) || raw.socket.destroyed) return
  // The pattern, and nothing of what the client has put in its place.
  const operation = routeOptions.url === undefined ? null : `${method} ${routeOptions.url}`
  onRequestRefused({ requestId, address, reason: code, operation })
}

/** Other refusals are the client's business; only what is wrong on our side goes to the log. Overload is tallied instead. */
function logFailure(refusal: Refusal, request: FastifyRequest, log: Log): void {
  if (refusal.status < 500 || refusal.code === 'overloaded') return
  const { method, routeOptions } = request
  const fields = {
    request_id: request.id,
    code: refusal.code,
    method,
    route: routeOptions.url,
    err: refusal.cause,
  }
  if (refusal.code === 'internal_error') log.error(fields, 'request failed')
  else log.warn(fields, 'request refused')
}

/** Fastify's own refusals of a request, as ours. */
const FASTIFY_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed_request',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_json',
  FST_ERR_BAD_URL: 'malformed_request',
  FST_ERR_MAX_PARAM_LENGTH: 'uri_too_long',
}

interface FastifyError extends Error {
  readonly code?: string
  readonly statusCode?: number
  readonly validation?: readonly AjvError[]
}

function toRefusal(error: unknown, request: FastifyRequest): Refusal {
  if (error instanceof Refusal) return error
  const { code, statusCode, validation } = (error ?? {}) as Partial<FastifyError>
  if (validation) return new Refusal('validation_failed', { errors: describeValidation(validation) })
  const known = code === undefined ? undefined : FASTIFY_CODES[code]
  if (known) return new Refusal(known)
  // Whatever else Fastify blames on the client, and a body that broke off with its connection.
  const isClientError = statusCode !== undefined && statusCode >= 400 && statusCode < 500
  if (isClientError && code?.startsWith('FST_')) return new Refusal('malformed_request')
  if (code === 'ECONNRESET' && request.raw.destroyed) return new Refusal('malformed_request')
  return new Refusal('internal_error', { cause: error })
}

interface AjvError {
  readonly keyword: string
  readonly instancePath: string
  readonly params: Record<string, unknown>
  readonly message?: string
}

function describeValidation(validation: readonly AjvError[]): FieldError[] {
  return validation.map(({ keyword, instancePath, params, message }) => {
    if (keyword === 'required') return { field: String(params.missingProperty), message: 'is required' }
    const field = instancePath.slice(1).replaceAll('/', '.') || 'body'
    if (keyword === 'type') return { field, message: `must be ${[params.type].flat().join(' or ')}` }
    return { field, message: message ?? 'is not valid' }
  })
}
