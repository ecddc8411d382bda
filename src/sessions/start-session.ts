import { randomUUID, type KeyObject } from 'node:crypto'
import type { Account } from '../accounts/account.js'
import { signAccessToken } from '../core/access-token.js'
import { type Clock, toNumericDate } from '../core/clock.js'

export interface Session {
  readonly id: string
  readonly accessToken: string
  readonly expiresInSeconds: number
  readonly account: Account
}

export interface SessionDependencies {
  readonly tokenKey: KeyObject
  readonly issuer: string
  readonly accessTokenTtlSeconds: number
  readonly clock: Clock
}

/** The only door in: every way to get an access token ends here. Each session has an id of its own. */
export function startSession(dependencies: SessionDependencies, account: Account): Session {
  const { tokenKey, issuer, accessTokenTtlSeconds, clock } = dependencies
  const id = randomUUID()
  const issuedAt = toNumericDate(clock())
  const accessToken = signAccessToken(tokenKey, {
    sub: account.id,
    email: account.email,
    iat: issuedAt,
    exp: issuedAt + accessTokenTtlSeconds,
    jti: randomUUID(),
    sid: id,
    iss: issuer,
  })
  return { id, accessToken, expiresInSeconds: accessTokenTtlSeconds, account }
}
