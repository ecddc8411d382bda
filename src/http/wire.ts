import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Account } from '../accounts/account.js'
import type { Principal } from '../core/access-token.js'
import type { RequestContext } from '../core/auth-event.js'
import type { IssuedTokens, Session } from '../sessions/session.js'
import type { RevocationPage } from './api.js'

const MAX_USER_AGENT_LENGTH = 200

export function contextOf(request: FastifyRequest, reply: FastifyReply): RequestContext {
  const userAgent = request.headers['user-agent'] ?? ''
  return {
    requestId: request.id,
    address: request.clientAddress,
    userAgent: userAgent.slice(0, MAX_USER_AGENT_LENGTH),
    signal: hangUpOf(request, reply),
  }
}

/** The connection's end, not the reply's: a reply that waits behind another one on its connection never closes. */
function hangUpOf({ raw: { socket } }: FastifyRequest, reply: FastifyReply): AbortSignal {
  const hungUp = new AbortController()
  const onClose = (): void => hungUp.abort()
  if (socket.destroyed) onClose()
  // One for each request that is pipelined; their number is bounded where they wait.
  socket.setMaxListeners(0)
  socket.once('close', onClose)
  reply.raw.once('finish', () => socket.off('close', onClose))
  return hungUp.signal
}

export function toWireUser(account: Account) {
  return {
    id: account.id,
    email: account.email,
    name: account.name,
    is_active: account.isActive,
    created_at: account.createdAt.toISOString(),
    updated_at: account.updatedAt.toISOString(),
  }
}

export function toWireTokens({ accessToken, expiresInSeconds, refreshToken, account }: IssuedTokens) {
  return {
    access_token: accessToken,
    token_type: 'bearer',
    expires_in: expiresInSeconds,
    refresh_token: refreshToken,
    user: toWireUser(account),
  }
}

export function toWireSessions(sessions: readonly Session[], principal: Principal) {
  return {
    sessions: sessions.map((session) => ({
      id: session.id,
      current: session.id === principal.sessionId,
      created_at: session.createdAt.toISOString(),
      last_seen_at: session.lastSeenAt.toISOString(),
      expires_at: session.expiresAt.toISOString(),
      address: session.address,
      user_agent: session.userAgent,
    })),
  }
}

export function toWireRevocations({ rows, lastSeq, ageMs, now, more }: RevocationPage) {
  return {
    last_seq: lastSeq,
    age_ms: ageMs,
    now,
    more,
    revocations: rows.map(({ seq, sessionId, expiresAt }) => ({
      seq,
      session_id: sessionId,
      expires_at: expiresAt,
    })),
  }
}
