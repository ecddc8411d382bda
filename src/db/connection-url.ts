import { readFileSync } from 'node:fs'
import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls'

export interface ConnectionTarget {
  /** The URL without the parameters that are decided here. */
  readonly connectionString: string
  readonly ssl: false | ConnectionOptions
}

const VERIFIED = new Set(['require', 'verify-ca', 'verify-full'])
const UNENCRYPTED = new Set(['disable', 'allow', 'prefer'])
const DECIDED_HERE = [
  'ssl',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'channel_binding',
  'uselibpqcompat',
]

/**
 * Reads a PostgreSQL URL as hosting services hand them out. Any `sslmode` that asks for TLS gets TLS with the
 * certificate and host name verified (ASVS 12.3.2), against the system's authorities or `sslrootcert`. With `sslcert`
 * and `sslkey`, PEM files as well, this side shows a certificate of its own (ASVS 13.2.1).
 * A SQLAlchemy driver suffix (`postgresql+psycopg2:`) is ignored. Throws an Error that names the problem and
 * never repeats the URL, which holds a password.
 */
export function parseConnectionUrl(text: string): ConnectionTarget {
  const url = toUrl(text.replace(/^(postgres(?:ql)?)\+\w+:/, '$1:'))
  const sslMode = url.searchParams.get('sslmode') ?? modeOfSsl(url.searchParams.get('ssl'))
  const files = {
    root: url.searchParams.get('sslrootcert'),
    certificate: url.searchParams.get('sslcert'),
    key: url.searchParams.get('sslkey'),
  }
  for (const name of DECIDED_HERE) url.searchParams.delete(name)
  return { connectionString: url.href, ssl: tlsOptions(sslMode, files) }
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

interface Files {
  readonly root: string | null
  readonly certificate: string | null
  readonly key: string | null
}

function tlsOptions(sslMode: string, { root, certificate, key }: Files): false | ConnectionOptions {
  const isEncrypted = VERIFIED.has(sslMode)
  if (!isEncrypted && !UNENCRYPTED.has(sslMode))
    throw new Error('has an unknown sslmode; use disable, require or verify-full')
  if ((certificate === null) !== (key === null)) throw new Error('needs sslcert and sslkey together')
  if (!isEncrypted) {
    if (certificate !== null) throw new Error('has an sslcert, which needs sslmode=verify-full')
    return false
  }
  const ca = root === null || root === 'system' ? undefined : readPem('sslrootcert', root)
  if (certificate === null || key === null)
    return { rejectUnauthorized: true, ...(ca !== undefined && { ca }) }
  return ownCertificate(ca, certificate, key)
}

/** Read anew for each connection, so that certificates may be short-lived and renewed under a running server. */
function ownCertificate(ca: string | undefined, certificate: string, key: string): ConnectionOptions {
  const read = (): SecureContext => {
    const [cert, privateKey] = [readPem('sslcert', certificate), readPem('sslkey', key)]
    try {
      return createSecureContext({ ca, cert, key: privateKey })
    } catch {
      throw new Error(`names an sslcert and an sslkey that do not fit each other: ${certificate}, ${key}`)
    }
  }
  let latest = read()
  return {
    rejectUnauthorized: true,
    get secureContext() {
      try {
        latest = read()
      } catch {
        // Half of the pair is being replaced: until it is whole again, the one before has to do.
      }
      return latest
    },
  }
}

function readPem(parameter: string, path: string): string {
  try {
    const text = readFileSync(path, 'utf8')
    // Node takes an empty list of authorities for the system's.
    if (text.trim() !== '') return text
  } catch {}
  throw new Error(`names an ${parameter} that cannot be read: ${path}`)
}
