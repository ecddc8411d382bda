import fc from 'fast-check'
import type { Operation, Schema } from './document.js'

/**
 * A request before it is sent. `{{name}}` in any part of it stands for something that only the running server knows: so
 * a failure prints a request that can be sent again.
 */
export interface Draft {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

/** What no schema can say: the values of fields that must be known to the server, or must not be. */
const KNOWN: Readonly<Record<string, string>> = {
  'register email': '{{unusedEmail}}',
  'register password': '{{password}}',
  'login email': '{{email}}',
  'login password': '{{password}}',
  'refresh refresh_token': '{{refreshToken}}',
  'endSession id': '{{sessionId}}',
  'changePassword current_password': '{{password}}',
  'changePassword new_password': '{{otherPassword}}',
  // A longer one is held open for so many seconds.
  'readRevocations wait': '0',
}

/** Requests as the document wants them. */
export function validRequest(operation: Operation): fc.Arbitrary<Draft> {
  const { operationId, method, url, scheme, body } = operation
  const parameters = (place: string) => operation.parameters.filter((each) => each.in === place)
  const fields = (place: string): Schema => ({
    type: 'object',
    properties: Object.fromEntries(parameters(place).map(({ name, schema }) => [name, schema])),
    required: parameters(place)
      .filter((each) => each.required === true)
      .map((each) => each.name),
  })
  return fc
    .record({
      path: valueOf(fields('path'), operationId) as fc.Arbitrary<Record<string, string>>,
      query: valueOf(fields('query'), operationId) as fc.Arbitrary<Record<string, string>>,
      body: body === null ? fc.constant(undefined) : valueOf(body, operationId),
    })
    .map((values) => ({
      method,
      target:
        url.replaceAll(/\{(\w+)\}/g, (_, name: string) => values.path[name] ?? '') + toQuery(values.query),
      headers: {
        ...(values.body !== undefined && { 'content-type': 'application/json' }),
        ...(scheme !== null && { authorization: `Bearer {{${scheme}}}` }),
      },
      body: values.body === undefined ? null : JSON.stringify(values.body),
    }))
}

const toQuery = (fields: Readonly<Record<string, string>>): string => {
  const query = Object.entries(fields).map(([name, value]) => `${name}=${value}`)
  return query.length > 0 ? `?${query.join('&')}` : ''
}

/** Values that a schema allows. It knows the keywords that the document uses, and refuses to guess at others. */
function valueOf(schema: Schema, operationId: string): fc.Arbitrary<unknown> {
  const { type, pattern, properties = {}, required = [] } = schema
  if (Array.isArray(type))
    return fc.oneof(...type.map((each) => valueOf({ ...schema, type: each }, operationId)))
  switch (type) {
    case 'null':
      return fc.constant(null)
    case 'boolean':
      return fc.boolean()
    case 'string':
      return pattern === undefined ? fc.string({ unit: 'grapheme' }) : fc.stringMatching(new RegExp(pattern))
    case 'object': {
      const known = ([name, field]: [string, Schema]): [string, fc.Arbitrary<unknown>] => {
        const value = KNOWN[`${operationId} ${name}`]
        return [name, value === undefined ? valueOf(field, operationId) : fc.constant(value)]
      }
      const model = Object.fromEntries(Object.entries(properties).map(known))
      return fc.record(model, { requiredKeys: [...required] })
    }
    case undefined:
    default:
      throw new Error(`${operationId}: teach the fuzz to make a value of type ${String(type)}`)
  }
}
