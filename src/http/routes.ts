import type { FastifyInstance } from 'fastify'
import type { Guard } from '../guard/guard.js'
import type { Api } from './api.js'
import { requireFeedToken } from './feed-token.js'
import { comeInTurn } from './in-turn.js'
import { sendKeySet } from './key-set.js'
import * as operations from './operations.js'
import type * as requests from './request-schemas.js'
import { readHolderOf } from './token-holder.js'
import { contextOf, toWireRevocations, toWireSessions, toWireTokens, toWireUser } from './wire.js'

/** Seconds that a request for news of ended sessions may be held open. */
const MAX_WAIT_SECONDS = 20

/** What must go on whatever a client at the same address does: supervision, and the news of ended sessions. */
const UNLIMITED = { limit: null }

/** The whole API. */
export function addRoutes(app: FastifyInstance, api: Api, guard: Guard, feedTokens: readonly string[]): void {
  const { authenticate: onRequest } = app

  app.post<{ Body: requests.RegisterBody }>(
    '/api/auth/register',
    { schema: operations.register, config: { limit: 'registrations' } },
    async (request, reply) => {
      const { email, name, password } = request.body
      const readHolder = readHolderOf(guard, request)
      reply.code(201)
      return toWireTokens(
        await api.register({ email, name, password }, readHolder, contextOf(request, reply)),
      )
    },
  )

  app.post<{ Body: requests.LoginBody }>(
    '/api/auth/login',
    { schema: operations.login },
    async (request, reply) => {
      const { email, password } = request.body
      const readHolder = readHolderOf(guard, request)
      return toWireTokens(await api.login({ email, password }, readHolder, contextOf(request, reply)))
    },
  )

  app.post<{ Body: requests.RefreshBody }>(
    '/api/auth/refresh',
    { schema: operations.refresh, config: { limit: 'refreshes' } },
    async (request, reply) =>
      toWireTokens(await api.refresh(request.body.refresh_token, contextOf(request, reply))),
  )

  app.post('/api/auth/logout', { onRequest, schema: operations.logout }, async (request, reply) => {
    await api.logout(request.user, contextOf(request, reply))
    return { message: 'Logged out' }
  })

  app.post<{ Body: requests.LogoutAllBody | undefined }>(
    '/api/auth/logout-all',
    { onRequest, schema: operations.logoutAll },
    async (request, reply) => {
      await api.logoutAll(request.user, request.body?.keep_current === true, contextOf(request, reply))
      return { message: 'Logged out everywhere' }
    },
  )

  app.get(
    '/api/auth/sessions',
    { onRequest: [comeInTurn, onRequest], schema: operations.listSessions },
    async (request) => toWireSessions(await api.listSessions(request.user), request.user),
  )

  app.delete<{ Params: requests.SessionParams }>(
    '/api/auth/sessions/:id',
    { onRequest, schema: operations.endSession },
    async (request, reply) => {
      await api.endSession(request.user, request.params.id, contextOf(request, reply))
      return { message: 'Session ended' }
    },
  )

  app.post<{ Body: requests.PasswordBody }>(
    '/api/auth/password',
    { onRequest, schema: operations.changePassword },
    async (request, reply) => {
      const { current_password: currentPassword, new_password: newPassword } = request.body
      await api.changePassword(request.user, { currentPassword, newPassword }, contextOf(request, reply))
      return { message: 'Password changed' }
    },
  )

  app.get('/api/auth/profile', { onRequest, schema: operations.readProfile }, async (request) =>
    toWireUser(await api.readProfile(request.user)),
  )

  app.put<{ Body: requests.ProfileBody }>(
    '/api/auth/profile',
    { onRequest, schema: operations.updateProfile },
    async (request, reply) => {
      const { name } = request.body
      return toWireUser(
        await api.updateProfile(request.user, name === undefined ? {} : { name }, contextOf(request, reply)),
      )
    },
  )

  app.get<{ Querystring: requests.RevocationsQuery }>(
    '/api/auth/revocations',
    { onRequest: requireFeedToken(feedTokens), schema: operations.readRevocations, config: UNLIMITED },
    async (request) => {
      const { after = '0', wait = '0' } = request.query
      const page = await api.readRevocations(Number(after), Math.min(Number(wait), MAX_WAIT_SECONDS))
      return toWireRevocations(page)
    },
  )

  app.get('/.well-known/jwks.json', { schema: operations.readPublicKeys }, (request, reply) =>
    sendKeySet(request, reply, api.readPublicKeys()),
  )

  app.get('/health/live', { schema: operations.live, config: UNLIMITED }, async () => ({ status: 'live' }))

  app.get('/health/ready', { schema: operations.ready, config: UNLIMITED }, async () => {
    const ageMs = await api.checkReady()
    return { status: 'ready', revocation_age_ms: Math.round(ageMs) }
  })
}
