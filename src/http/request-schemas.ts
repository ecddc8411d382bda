import type { FromSchema } from 'json-schema-to-ts'

// What requests hold.

export const RegisterBody = {
  type: 'object',
  required: ['email', 'name', 'password'],
  properties: {
    email: { type: 'string', description: 'Any letter case; stored lower-cased' },
    name: { type: 'string', description: '1 to 200 characters after trimming' },
    password: {
      type: 'string',
      description: 'By the policy of this server; the refusal names every rule that is broken',
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

export const RefreshBody = {
  type: 'object',
  required: ['refresh_token'],
  properties: { refresh_token: { type: 'string' } },
} as const

export const LogoutAllBody = {
  type: ['object', 'null'],
  properties: { keep_current: { type: 'boolean', description: 'Let the session of this request go on' } },
} as const

export const PasswordBody = {
  type: 'object',
  required: ['current_password', 'new_password'],
  properties: { current_password: { type: 'string' }, new_password: { type: 'string' } },
} as const

export const SessionParams = {
  type: 'object',
  required: ['id'],
  properties: { id: { type: 'string' } },
} as const

export const RevocationsQuery = {
  type: 'object',
  properties: {
    after: { type: 'string', pattern: '^\\d{1,15}$', description: 'Rows after this number; 0 for all' },
    wait: {
      type: 'string',
      pattern: '^\\d{1,2}$',
      description: 'Seconds to wait for news when there are none yet; at most 20',
    },
  },
} as const

export type RefreshBody = FromSchema<typeof RefreshBody>
export type LogoutAllBody = FromSchema<typeof LogoutAllBody>
export type PasswordBody = FromSchema<typeof PasswordBody>
export type SessionParams = FromSchema<typeof SessionParams>
export type RevocationsQuery = FromSchema<typeof RevocationsQuery>
export type RegisterBody = FromSchema<typeof RegisterBody>
export type LoginBody = FromSchema<typeof LoginBody>
export type ProfileBody = FromSchema<typeof ProfileBody>
