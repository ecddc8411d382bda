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
    email: {
      type: 'string',
      description: 'As stored: lower-cased, an international domain in its ASCII form, if made here',
    },
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
  required: ['access_token', 'token_type', 'expires_in', 'refresh_token', 'user'],
  properties: {
    access_token: { type: 'string', description: 'JWT; send it as `Authorization: Bearer …`' },
    token_type: { type: 'string', const: 'bearer' },
    expires_in: { type: 'integer', description: 'Life of the access token in seconds' },
    refresh_token: {
      type: 'string',
      description: 'Opaque; good for one `POST /api/auth/refresh`, which returns the next one',
    },
    user: { $ref: 'User#' },
  },
} as const

export const SessionList = {
  $id: 'SessionList',
  type: 'object',
  required: ['sessions'],
  properties: {
    sessions: {
      type: 'array',
      description: 'Newest first',
      items: {
        type: 'object',
        required: ['id', 'current', 'created_at', 'last_seen_at', 'expires_at', 'address', 'user_agent'],
        properties: {
          id: { type: 'string', format: 'uuid' },
          current: { type: 'boolean', description: 'Whether it is the session of this very request' },
          created_at: { type: 'string', format: 'date-time' },
          last_seen_at: { type: 'string', format: 'date-time', description: 'To the minute or so' },
          expires_at: { type: 'string', format: 'date-time', description: 'However often it is refreshed' },
          address: { type: 'string', description: 'Where the log-in came from' },
          user_agent: { type: 'string', description: '`User-Agent` of the log-in; empty when none was sent' },
        },
      },
    },
  },
} as const

export const Revocations = {
  $id: 'Revocations',
  type: 'object',
  required: ['last_seq', 'age_ms', 'now', 'more', 'revocations'],
  properties: {
    last_seq: { type: 'integer', description: 'The highest number this node has read' },
    age_ms: { type: 'number', description: 'How old this node’s own news are, in milliseconds' },
    now: { type: 'number', description: 'The database’s clock, in seconds since the epoch' },
    more: { type: 'boolean', description: 'Ask again at once, after the last number here' },
    revocations: {
      type: 'array',
      items: {
        type: 'object',
        required: ['seq', 'session_id', 'expires_at'],
        properties: {
          seq: { type: 'integer' },
          session_id: { type: 'string', format: 'uuid' },
          expires_at: { type: 'number', description: 'The last access token has expired by then' },
        },
      },
    },
  },
} as const

export const KeySet = {
  $id: 'KeySet',
  type: 'object',
  required: ['keys'],
  properties: {
    keys: {
      type: 'array',
      items: {
        type: 'object',
        required: ['kty', 'kid', 'alg', 'use'],
        properties: {
          kty: { type: 'string', enum: ['OKP', 'EC', 'RSA'] },
          kid: {
            type: 'string',
            description: 'Its thumbprint (RFC 7638), which tokens name in their header',
          },
          alg: { type: 'string', enum: ['EdDSA', 'ES256', 'RS256'] },
          use: { type: 'string', const: 'sig' },
          crv: { type: 'string' },
          x: { type: 'string' },
          y: { type: 'string' },
          n: { type: 'string' },
          e: { type: 'string' },
        },
      },
    },
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
  properties: {
    status: { type: 'string' },
    revocation_age_ms: {
      type: 'integer',
      description: 'How old the news of ended sessions are; past the limit, tokens are refused with 503',
    },
  },
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

/** Schemas that operations refer to by name. */
export const SHARED_SCHEMAS = [User, Session, SessionList, Revocations, KeySet, Message, Problem, Health]
type SharedName = 'User' | 'Session' | 'SessionList' | 'Revocations' | 'KeySet' | 'Message' | 'Health'

export interface ResponseEntry {
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
