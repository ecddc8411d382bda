/** A year, as ASVS 3.4.1 asks. */
const STRICT_TRANSPORT_SECURITY = 'max-age=31536000; includeSubDomains'

/** On every answer, whatever its status. `hsts`: clients reach the server by TLS, and shall never try without. */
export const constantHeaders = (hsts: boolean): Readonly<Record<string, string>> => ({
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  ...(hsts && { 'strict-transport-security': STRICT_TRANSPORT_SECURITY }),
})
