import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Account } from '../accounts/account.js'
import type { ProfileChange } from '../accounts/profile.js'
import type { Registration } from '../accounts/register.js'
import type { Principal } from '../core/access-token.js'
import type { RequestContext } from '../core/auth-event.js'
import type { Credentials } from '../sessions/login.js'
import type { Session } from '../sessions/start-session.js'
import { LoginBody, ProfileBody, RegisterBody, refusals, success } from './schemas.js'

/** What the HTTP side needs of the rules. */
export interface Api {
  register(registration: Registration, context: RequestContext): Promise<Session>
  login(credentials: Credentials, context: RequestContext): Promise<Session>
  logout(principal: Principal, context: RequestContext): void
  readProfile(principal: Principal): Promise<Account>
  updateProfile(principal: Principal, change: ProfileChange, context: RequestContext): Promise<Account>
  /** Rejects when the database cannot be reached. */
  checkReady(): Promise<void>
}

const OPEN = { tags: ['authentication'] }
const GUARDED = { tags: ['authentication'], security: [{ bearer: [] }] }
const HEALTH = { tags: ['health'] }

const BODY_REFUSALS = [
  'validation_failed',
  'malformed_json',
  'body_too_large',
  'unsupported_media_type',
] as const
const GUARD_REFUSALS = ['not_authenticated', 'token_expired', 'invalid_token'] as const
const SERVER_REFUSALS = ['internal_error', 'database_unavailable'] as const

/** The whole API. */
export function addRoutes(app: FastifyInstance, api: Api): void {
  const { authenticate: onRequest } = app

  app.post<{ Body: RegisterBody }>(
    '/api/auth/register',
    {
      schema: {
        ...OPEN,
        summary: 'Create an account and open a session',
        body: RegisterBody,
        response: {
          201: success('Session', 'The account exists; its first session is open'),
          ...refusals(...BODY_REFUSALS, 'email_taken', ...SERVER_REFUSALS, 'overloaded'),
        },
      },
    },
    async (request, reply) => {
      const { email, name, password } = request.body
      reply.code(201)
      return toWireSession(await api.register({ email, name, password }, contextOf(request)))
    },
  )

  app.post<{ Body: LoginBody }>(
    '/api/auth/login',
    {
      schema: {
        ...OPEN,
        summary: 'Open a session',
        description: 'A wrong password and an unknown e-mail get the same answer, in the same time.',
        body: LoginBody,
        response: {
          200: success('Session', 'The password is right; a session is open'),
          ...refusals(
            ...BODY_REFUSALS,
            'invalid_credentials',
            'account_disabled',
            ...SERVER_REFUSALS,
            'overloaded',
          ),
        },
      },
    },
    async (request) => {
      const { email, password } = request.body
      return toWireSession(await api.login({ email, password }, contextOf(request)))
    },
  )

  app.post(
    '/api/auth/logout',
    {
      onRequest,
      schema: {
        ...GUARDED,
        summary: 'End the session',
        description: 'The client must discard its access token: it stays valid until it expires.',
        response: {
          200: success('Message', 'The session has ended'),
          ...refusals(
            'malformed_json',
            'body_too_large',
            'unsupported_media_type',
            ...GUARD_REFUSALS,
            'internal_error',
          ),
        },
      },
    },
    async (request) => {
      api.logout(request.user, contextOf(request))
      return { message: 'Logged out' }
    },
  )

  app.get(
    '/api/auth/profile',
    {
      onRequest,
      schema: {
        ...GUARDED,
        summary: 'Read the own account',
        response: {
          200: success('User', 'The account'),
          ...refusals(...GUARD_REFUSALS, 'account_not_found', ...SERVER_REFUSALS),
        },
      },
    },
    async (request) => toWireUser(await api.readProfile(request.user)),
  )

  app.put<{ Body: ProfileBody }>(
    '/api/auth/profile',
    {
      onRequest,
      schema: {
        ...GUARDED,
        summary: 'Change the own account',
        description: 'A name that is missing or null changes nothing.',
        body: ProfileBody,
        response: {
          200: success('User', 'The account after the change'),
          ...refusals(...BODY_REFUSALS, ...GUARD_REFUSALS, 'account_not_found', ...SERVER_REFUSALS),
        },
      },
    },
    async (request) => {
      const { name } = request.body
      const change = name === undefined ? {} : { name }
      return toWireUser(await api.updateProfile(request.user, change, contextOf(request)))
    },
  )

  app.get(
    '/health/live',
    {
      schema: {
        ...HEALTH,
        summary: 'Whether the process answers',
        response: { 200: success('Health', 'It does'), ...refusals('internal_error') },
      },
    },
    async () => ({ status: 'live' }),
  )

  app.get(
    '/health/ready',
    {
      schema: {
        ...HEALTH,
        summary: 'Whether requests can be served: the database answers',
        response: { 200: success('Health', 'They can'), ...refusals(...SERVER_REFUSALS) },
      },
    },
    async () => {
      await api.checkReady()
      return { status: 'ready' }
    },
  )
}

const contextOf = (request: FastifyRequest): RequestContext => ({
  requestId: request.id,
  address: request.ip,
})

function toWireUser(account: Account) {
  return {
    id: account.id,
    email: account.email,
    name: account.name,
    is_active: account.isActive,
    created_at: account.createdAt.toISOString(),
    updated_at: account.updatedAt.toISOString(),
  }
}

function toWireSession({ accessToken, expiresInSeconds, account }: Session) {
  return {
    access_token: accessToken,
    token_type: 'bearer',
    expires_in: expiresInSeconds,
    user: toWireUser(account),
  }
}
