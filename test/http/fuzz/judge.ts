import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { expect } from 'vitest'
import type { Reply } from '../../support/test-app.js'
import { type OpenApiDocument, type Operation, operationAt, operationsOf, type Schema } from './document.js'

export interface Exchange {
  readonly method: string
  readonly target: string
  readonly reply: Reply
}

/** Compares answers with the document. */
export interface Judge {
  /** Throws where the answer is none that the document promises to this method and address; returns whose it is. */
  judge(exchange: Exchange): Operation | undefined
  /** Whether the document allows this body. */
  allowsBody(operation: Operation, body: unknown): boolean
}

export function createJudge(document: OpenApiDocument): Judge {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true })
  formats.default(ajv)
  ajv.addVocabulary(['components'])
  ajv.addSchema({ $id: 'document', components: closed(document.components) })
  const validators = new Map<Schema, ValidateFunction>()
  const validatorOf = (schema: Schema): ValidateFunction => {
    const known = validators.get(schema)
    const validator = known ?? ajv.compile(schema.$ref ? { $ref: `document${schema.$ref}` } : schema)
    if (!known) validators.set(schema, validator)
    return validator
  }
  const expectToFit = (schema: Schema, body: unknown): void => {
    const validate = validatorOf(schema)
    validate(body)
    expect(validate.errors ?? []).toStrictEqual([])
  }
  const operations = operationsOf(document)
  // Refusals that come before any operation, and so are described once for all of them.
  const general = codesIn(document.info.description)
  const problem: Schema = { $ref: '#/components/schemas/Problem' }

  function judgeProblem({ status, headers, body }: Reply, codes: readonly string[]): void {
    expect(headers['content-type']).toBe('application/problem+json; charset=utf-8')
    expectToFit(problem, body)
    expect([...codes, ...general]).toContain(body.code)
    expect(body).toMatchObject({ status, request_id: headers['x-request-id'] })
    expect(headers['www-authenticate'] !== undefined).toBe(status === 401)
  }

  function judgeByDescription(operation: Operation, reply: Reply): void {
    const described = operation.responses[reply.status]
    if (reply.status >= 400) return judgeProblem(reply, codesIn(described?.description ?? ''))
    expect(described).toBeDefined()
    const schema = described?.content?.['application/json']?.schema
    if (schema === undefined) return expect(reply.text).toBe('')
    expect(reply.headers['content-type']).toBe('application/json; charset=utf-8')
    expectToFit(schema, reply.body)
  }

  return {
    judge({ method, target, reply }) {
      expect(reply.status).toBeLessThan(500)
      expect(reply.headers['x-content-type-options']).toBe('nosniff')
      const operation = operationAt(operations, method, target)
      // Node takes every body that answers HEAD away, but only on a real connection.
      const isBare = method === 'OPTIONS' || (method === 'HEAD' && reply.text === '')
      if (operation) judgeByDescription(operation, reply)
      else if (!isBare) judgeProblem(reply, ['route_not_found', 'method_not_allowed'])
      else expect(reply.text).toBe('')
      return operation
    },
    allowsBody: ({ body: schema, needsBody }, body) =>
      body === undefined ? !needsBody : schema === null || validatorOf(schema)(body),
  }
}

const codesIn = (description: string): string[] =>
  [...description.matchAll(/`([a-z_]+)`/g)].map(([, code]) => code!)

/** The same, and no object may have a field that is not described. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, inner]) => [name, closed(inner)])
  return Object.fromEntries('properties' in value ? [...entries, ['unevaluatedProperties', false]] : entries)
}
