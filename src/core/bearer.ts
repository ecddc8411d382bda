// `Bearer` in any letter case (RFC 9110 §11.1), one or more spaces, a b64token (RFC 6750 §2.1).
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i

/** The token of an `Authorization` header; null when there is none or it is malformed. */
export function readBearerToken(authorization: string | undefined): string | null {
  return authorization === undefined ? null : (BEARER.exec(authorization)?.[1] ?? null)
}

/**
 * The value of the one `Authorization` header; undefined when there is none. Two are credentials, but no usable ones: a
 * proxy may have judged the other (RFC 6750 §3.1). They come out as an empty value, which nobody takes for none.
 */
export function soleAuthorization(
  rawHeaders: readonly string[],
  authorization: string | undefined,
): string | undefined {
  let seen = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 13 && name.toLowerCase() === 'authorization') seen++
  }
  return seen > 1 ? '' : authorization
}
