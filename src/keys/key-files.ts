import { createPrivateKey, createPublicKey, type JsonWebKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type RingKey, verifyOnly } from '../core/keyring.js'
import {
  importPrivateKey,
  importPublicJwk,
  importPublicKey,
  type TokenAlgorithm,
} from '../core/signing-key.js'

/**
 * Reads keys from PEM or JWK files: the first one signs, unless a shared secret does, and all verify. Throws an Error in
 * words for the operator, which names the file and holds nothing of its content.
 */
export function readKeyFiles(paths: readonly string[], algorithm: TokenAlgorithm): RingKey[] {
  const ring = paths.map((path, i) => {
    const mustSign = i === 0 && algorithm !== 'HS256'
    const key = readKeyFile(path)
    if (!mustSign) return verifyOnly(key)
    if (!('sign' in key)) throw new Error(`JWT_KEY_FILES: ${path} comes first, so it must hold a private key`)
    if (key.algorithm !== algorithm)
      throw new Error(
        `JWT_KEY_FILES: ${path} is a key for ${key.algorithm}, and JWT_ALGORITHM is ${algorithm}`,
      )
    return { ...verifyOnly(key), signsFrom: 0 }
  })
  const kids = new Set(ring.map(({ key }) => key.kid))
  if (kids.size < ring.length) throw new Error('JWT_KEY_FILES holds a key twice')
  return ring
}

function readKeyFile(path: string): RingKey['key'] {
  const content = readContent(path)
  try {
    return content.trimStart().startsWith('{') ? parseJwk(content) : parsePem(content)
  } catch (error) {
    // What OpenSSL says of a file that it cannot read helps nobody; our own words do.
    const isOurs = error instanceof Error && !('code' in error) && !(error instanceof SyntaxError)
    // oxlint-disable-next-line preserve-caught-error -- JSON.parse quotes what it could not read
    throw new Error(
      `JWT_KEY_FILES: ${path} is no key that can be used: ${isOurs ? error.message : 'neither PEM nor JWK'}`,
    )
  }
}

function readContent(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new Error(`JWT_KEY_FILES: ${path} cannot be read`)
  }
}

function parseJwk(content: string): RingKey['key'] {
  const jwk = JSON.parse(content) as JsonWebKey
  const publicKey = importPublicJwk(jwk)
  if (!('d' in jwk)) return publicKey
  const key = importPrivateKey(createPrivateKey({ key: jwk, format: 'jwk' }))
  if (key.kid !== publicKey.kid) throw new Error('The halves of the key do not belong together')
  return key
}

function parsePem(content: string): RingKey['key'] {
  if (content.includes('PRIVATE KEY-----')) return importPrivateKey(createPrivateKey(content))
  return importPublicKey(createPublicKey(content))
}
