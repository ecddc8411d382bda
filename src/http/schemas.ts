import type { FromSchema } from 'json-schema-to-ts'
import { ERRORS, type ErrorCode } from '../errors.js'

const EXAMPLE_USER = {
  id: '6f1c1d0e-3c1f-4b6e-9a54-0d6a3f1f2b77',
  email: 'ada@example.com',
  name: 'Ada Lovelace',
  is_active: true,
  created_at: '2026-11-22T12:00:00.000Z',
  updated_at: '2026-11-22T12:00:00.000Z',
}

export const User = {
  $id: 'User',
  type: 'object',
  required: ['id', 'email', 'name', 'is_active', 'created_at', 'updated_at'],
  properties: {
    id: { type: 'string', format: 'uuid' },
    email: { type: 'string', description: 'Lower-cased; an international domain in its ASCII form' },
    name: { type: 'string' },
    is_active: { type: 'boolean' },
    created_at: { type: 'string', format: 'date-time', description: 'ISO 8601, UTC' },
    updated_at: { type: 'string', format: 'date-time', description: 'ISO 8601, UTC' },
  },
  examples: [EXAMPLE_USER],
} as const

export const Session = {
  $id: 'Session',
  type: 'object',
  required: ['access_token', 'token_type', 'expires_in', 'user'],
  properties: {
    access_token: { type: 'string', description: 'JWT; send it as `Authorization: Bearer …`' },
    token_type: { type: 'string', const: 'bearer' },
    expires_in: { type: 'integer', description: 'Life of the access token in seconds' },
    user: { $ref: 'User#' },
  },
} as const

export const Message = {
  $id: 'Message',
  type: 'object',
  required: ['message'],
  properties: { message: { type: 'string' } },
} as const

export const Health = {
  $id: 'Health',
  type: 'object',
  required: ['status'],
  properties: { status: { type: 'string' } },
} as const

export const Problem = {
  $id: 'Problem',
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'request_id'],
  properties: {
    type: { type: 'string', description: 'Always `about:blank`: `code` tells problems apart' },
    title: { type: 'string', description: 'The reason phrase of the status' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What went wrong, for people' },
    code: {
      type: 'string',
      enum: Object.keys(ERRORS),
      description: 'What went wrong, for programs; never renamed',
    },
    request_id: {
      type: 'string',
      description: 'Also in the header `X-Request-Id` and in the log of the server',
    },
    errors: {
      type: 'array',
      description: 'With `validation_failed`: every field that is wrong, and why',
      items: {
        type: 'object',
        required: ['field', 'message'],
        properties: { field: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
} as const

export const RegisterBody = {
  type: 'object',
  required: ['email', 'name', 'password'],
  properties: {
    email: { type: 'string', description: 'Any letter case; stored lower-cased' },
    name: { type: 'string', description: '1 to 200 characters after trimming' },
    password: {
      type: 'string',
      description: '8 to 128 characters, a digit, a special character, not a common one',
    },
  },
  examples: [{ email: 'ada@example.com', name: 'Ada Lovelace', password: 'C0rrect-horse!battery' }],
} as const

export const LoginBody = {
  type: 'object',
  required: ['email', 'password'],
  properties: { email: { type: 'string' }, password: { type: 'string' } },
  examples: [{ email: 'ada@example.com', password: 'C0rrect-horse!battery' }],
} as const

export const ProfileBody = {
  type: 'object',
  properties: { name: { type: ['string', 'null'], description: 'Missing or null: unchanged' } },
  examples: [{ name: 'Augusta Ada King' }],
} as const

export type RegisterBody = FromSchema<typeof RegisterBody>
export type LoginBody = FromSchema<typeof LoginBody>
export type ProfileBody = FromSchema<typeof ProfileBody>

/** Schemas that operations refer to by name. */
export const SHARED_SCHEMAS = [User, Session, Message, Problem, Health]
type SharedName = 'User' | 'Session' | 'Message' | 'Health'

interface ResponseEntry {
  readonly description: string
  readonly content: Readonly<Record<string, { readonly schema: { readonly $ref: string } }>>
}

export function success(name: SharedName, description: string): ResponseEntry {
  return { description, content: { 'application/json': { schema: { $ref: `${name}#` } } } }
}

/** Response entries for the refusals that an operation can meet, grouped by status. */
export function refusals(...codes: ErrorCode[]): Record<number, ResponseEntry> {
  const entries: Record<number, ResponseEntry> = {}
  for (const code of codes) {
    const { status, detail } = ERRORS[code]
    const before = entries[status] ? `${entries[status].description}. ` : ''
    entries[status] = {
      description: `${before}\`${code}\`: ${detail}`,
      content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } },
    }
  }
  return entries
}
