import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const hasOpenssl = (): boolean => spawnSync('openssl', ['version']).status === 0

export interface CertificateAuthority {
  /** Its certificate, a PEM file. */
  readonly path: string
  /** Makes a key and signs a certificate for it; the files are `<file>.crt` and `<file>.key` of its folder. */
  issue(file: string, certificate: { name: string; extensions: string }): { crt: string; key: string }
}

/** An authority of its own, made by the `openssl` command in a new folder. */
export function makeAuthority(folder: string): CertificateAuthority {
  mkdirSync(folder)
  const openssl = (...args: string[]): void =>
    void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const makeKey = (file: string): void =>
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', file)
  makeKey('ca.key')
  openssl('req', '-x509', '-new', '-key', 'ca.key', '-subj', '/CN=Test authority', '-out', 'ca.crt')
  return {
    path: join(folder, 'ca.crt'),
    issue(file, { name, extensions }) {
      const [crt, key] = [`${file}.crt`, `${file}.key`]
      makeKey(key)
      writeFileSync(join(folder, 'extensions'), `basicConstraints=critical,CA:FALSE\n${extensions}\n`)
      openssl('req', '-new', '-key', key, '-subj', `/CN=${name}`, '-out', 'request')
      const authority = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial']
      openssl('x509', '-req', '-in', 'request', ...authority, '-extfile', 'extensions', '-out', crt)
      return { crt: join(folder, crt), key: join(folder, key) }
    },
  }
}
