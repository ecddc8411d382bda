import { untilAborted } from './abort.js'
import { isTokenCode } from './keyward-error.js'
import type { Renew } from './refresh.js'
import { parseJson } from './request.js'
import type { SessionStore } from './session-store.js'

/** A `fetch` that sends the access token to the given origins, and refuses every other address with a TypeError. */
export function createAuthorizedFetch(
  origins: ReadonlySet<string>,
  store: SessionStore,
  renew: Renew,
): typeof globalThis.fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const { origin } = new URL(request.url)
    if (!origins.has(origin)) throw new TypeError(`${origin} is none of this client’s apiOrigins`)
    const session = await store.read()
    if (session === null) return fetch(request)
    // A body can be sent once; the copy leaves it for the second attempt.
    const response = await fetch(withToken(request.clone(), session.access_token))
    if (!(await refusesToken(response))) return response
    const renewed = await untilAborted(renew(session), request.signal)
    if (renewed === null) return response
    await response.body?.cancel()
    return fetch(withToken(request, renewed.access_token))
  }
}

function withToken(request: Request, token: string): Request {
  const headers = new Headers(request.headers)
  headers.set('authorization', `Bearer ${token}`)
  // Where a redirect leads is not known before the token has been sent there, by browsers that keep the header.
  return new Request(request, {
    headers,
    redirect: request.redirect === 'follow' ? 'error' : request.redirect,
  })
}

/** Whether another access token could help: by the challenge (RFC 6750 §3.1), or by a code of Keyward's guard. */
async function refusesToken(response: Response): Promise<boolean> {
  if (response.status !== 401) return false
  if (/\berror="?invalid_token\b/i.test(response.headers.get('www-authenticate') ?? '')) return true
  // An API on another origin may show the body only.
  if (!response.headers.get('content-type')?.startsWith('application/problem+json')) return false
  const { code } = (parseJson(await response.clone().text()) ?? {}) as { code?: unknown }
  return isTokenCode(code)
}
