import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Refusal } from '../errors.js'

// Exactly this type: near misses went around body schemas in Fastify before (CVE-2025-32442, CVE-2026-25223).
const JSON_TYPE = /^application\/json[ \t]*(?:;[ \t]*charset[ \t]*=[ \t]*"?utf-8"?[ \t]*)?$/i

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Makes JSON in UTF-8 the only body there is. A route with a body schema refuses any other type with 415; a route
 * without one accepts an empty body under any type. Of duplicate keys the last one counts; `__proto__` and
 * `constructor.prototype` are refused.
 */
export function acceptJsonOnly(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error')

  app.addHook('onRequest', (request, _reply, done) => {
    const { headers } = request
    // Fastify would refuse an unreadable type even where there is nothing to read.
    if (headers['content-type'] !== undefined && !needsBody(request) && !hasBody(request)) {
      delete headers['content-type']
    }
    done()
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>('*', { parseAs: 'buffer' }, (request, body, done) => {
    const isJson = JSON_TYPE.test(request.headers['content-type'] ?? '')
    if (body.length === 0 && (isJson || !needsBody(request))) return done(null, undefined)
    if (!isJson) return done(new Refusal('unsupported_media_type'))
    const text = decode(body)
    if (text === null) return done(new Refusal('malformed_json'))
    void parseJson(request, text, (error, value) => {
      if (error) done(new Refusal('malformed_json'))
      else done(null, value)
    })
  })
}

/** A body that may be null may be missing as well. */
function needsBody(request: FastifyRequest): boolean {
  const body = request.routeOptions.schema?.body as { type?: string | string[] } | undefined
  return body !== undefined && ![body.type].flat().includes('null')
}

function hasBody({ headers }: FastifyRequest): boolean {
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}

function decode(body: Buffer): string | null {
  try {
    return strictUtf8.decode(body)
  } catch {
    return null
  }
}
