import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'

export interface ConnectionTarget {
  /** The URL without the parameters that are decided here. */
  readonly connectionString: string
  readonly ssl: false | ConnectionOptions
}

const VERIFIED = new Set(['require', 'verify-ca', 'verify-full'])
const UNENCRYPTED = new Set(['disable', 'allow', 'prefer'])
const DECIDED_HERE = ['ssl', 'sslmode', 'sslrootcert', 'channel_binding', 'uselibpqcompat']

/**
 * Reads a PostgreSQL URL as hosting services hand them out. Any `sslmode` that asks for TLS gets TLS with the
 * certificate and host name verified (ASVS 12.3.2), against the system's authorities or `sslrootcert`.
 * A SQLAlchemy driver suffix (`postgresql+psycopg2:`) is ignored. Throws an Error that names the problem and
 * never repeats the URL, which holds a password.
 */
export function parseConnectionUrl(text: string): ConnectionTarget {
  const url = toUrl(text.replace(/^(postgres(?:ql)?)\+\w+:/, '$1:'))
  const sslMode = url.searchParams.get('sslmode') ?? modeOfSsl(url.searchParams.get('ssl'))
  const rootCertificate = url.searchParams.get('sslrootcert')
  for (const name of DECIDED_HERE) url.searchParams.delete(name)
  return { connectionString: url.href, ssl: tlsOptions(sslMode, rootCertificate) }
}

function toUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:')) {
    throw new Error('must look like postgresql://user:password@host/database')
  }
  return url
}

/** The driver's own `ssl` parameter. It must not reach the driver, where it would overrule what is decided here. */
function modeOfSsl(ssl: string | null): string {
  if (ssl === null || ssl === 'false' || ssl === '0') return 'disable'
  return ssl === 'true' || ssl === '1' ? 'require' : ssl
}

function tlsOptions(sslMode: string, rootCertificate: string | null): false | ConnectionOptions {
  if (UNENCRYPTED.has(sslMode)) return false
  if (!VERIFIED.has(sslMode)) throw new Error('has an unknown sslmode; use disable, require or verify-full')
  if (rootCertificate === null || rootCertificate === 'system') return { rejectUnauthorized: true }
  try {
    return { rejectUnauthorized: true, ca: readFileSync(rootCertificate, 'utf8') }
  } catch {
    throw new Error(`names an sslrootcert that cannot be read: ${rootCertificate}`)
  }
}
