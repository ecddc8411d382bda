import { PASSWORD } from './servers/keyward.js'
import type { KnownUser } from './seed.js'

/** `GET path` with the token of each user in turn. */
export function authorizedReads(path: string, users: readonly KnownUser[]): string[] {
  return users.map(
    ({ accessToken }) =>
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${accessToken}\r\n\r\n`,
  )
}

/** Each user in turn with the right password. */
export function logins(users: readonly KnownUser[]): string[] {
  return users.map(({ email }) => login(email, PASSWORD))
}

/** A storm's mixture: of ten log-ins eight are right, one has a wrong password and one an unknown address. */
export function mixedLogins(users: readonly KnownUser[]): string[] {
  return users.map(({ email }, turn) => {
    if (turn % 10 === 4) return login(email, 'Wr0ng-horse!battery')
    if (turn % 10 === 9) return login(`nobody-${turn}@example.com`, PASSWORD)
    return login(email, PASSWORD)
  })
}

function login(email: string, password: string): string {
  const body = JSON.stringify({ email, password })
  return [
    'POST /api/auth/login HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n')
}
