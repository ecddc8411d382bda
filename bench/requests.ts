import { PASSWORD } from './servers/keyward.js'
import type { KnownUser } from './seed.js'

/** `GET path` with the token of each user in turn. */
export function authorizedReads(path: string, users: readonly KnownUser[]): string[] {
  return users.map(({ accessToken }, turn) =>
    [`GET ${path} HTTP/1.1`, ...clientOf(turn), `Authorization: Bearer ${accessToken}`, '', ''].join('\r\n'),
  )
}

/** Each user has an address of their own, as behind a proxy: limits by client are on. */
const clientOf = (turn: number): string[] => [
  'Host: localhost',
  `X-Forwarded-For: 10.${turn >> 8}.${turn & 255}.1`,
]

/** Each user in turn with the right password. */
export function logins(users: readonly KnownUser[]): string[] {
  return users.map(({ email }, turn) => login(turn, email, PASSWORD))
}

/** A storm's mixture: of ten log-ins eight are right, one has a wrong password and one an unknown address. */
export function mixedLogins(users: readonly KnownUser[]): string[] {
  return users.map(({ email }, turn) => {
    if (turn % 10 === 4) return login(turn, email, 'Wr0ng-horse!battery')
    if (turn % 10 === 9) return login(turn, `nobody-${turn}@example.com`, PASSWORD)
    return login(turn, email, PASSWORD)
  })
}

function login(turn: number, email: string, password: string): string {
  const body = JSON.stringify({ email, password })
  return [
    'POST /api/auth/login HTTP/1.1',
    ...clientOf(turn),
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n')
}
