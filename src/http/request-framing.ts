import type { IncomingMessage } from 'node:http'

/**
 * Whether a request that Node could read is one that every proxy reads in the same way (ASVS 4.2.1): HTTP/1.1 with one
 * Host (RFC 9112 §3.2) and no transfer coding but chunked (§6.1), or HTTP/1.0 with one Host or none, and no coding.
 */
export function isUnambiguous({ httpVersion, headers, rawHeaders }: IncomingMessage): boolean {
  const coding = headers['transfer-encoding']
  const hosts = countHosts(rawHeaders)
  if (httpVersion === '1.0') return hosts <= 1 && coding === undefined
  return httpVersion === '1.1' && hosts === 1 && (coding === undefined || coding.toLowerCase() === 'chunked')
}

/** Node keeps the first one and drops the others. */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') count++
  }
  return count
}
