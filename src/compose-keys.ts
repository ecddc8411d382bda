import { readFileSync } from 'node:fs'
import { PURGE_INTERVAL_MS, type Task } from './background.js'
import type { Config } from './config.js'
import { type AccessTokenClaims, signAccessToken } from './core/access-token.js'
import type { Clock } from './core/clock.js'
import { fixedKeys, type KeySource } from './core/key-source.js'
import { createKeyring, publicKeySet, signingKeyAt } from './core/keyring.js'
import { createKeySafe, type KeySafe } from './core/sealed-key.js'
import { createSecret, type PublicJwk } from './core/signing-key.js'
import type { Database } from './db/database.js'
import { Refusal } from './errors.js'
import { followKeys } from './keys/follow-keys.js'
import { readKeyFiles } from './keys/key-files.js'
import { createSigningKeyStore } from './keys/sql.js'
import type { Log } from './log.js'
import { type KeyCommand, type KeyReport, runKeyCommand } from './operators/key-commands.js'

/** Where no notification comes. */
const READ_INTERVAL_MS = 5_000

/** The keys of this node: what its tokens are signed with, and checked with. */
export interface NodeKeys {
  readonly source: KeySource
  /** Loads keys from the database, if any come from there. */
  readonly start: () => Promise<void>
  readonly catchUp: () => Promise<void>
  /** What has to be done about them now and then. */
  readonly tasks: readonly Task[]
  signToken(claims: Omit<AccessTokenClaims, 'aud'>): string
  /** For guards in other processes (RFC 7517 §5). */
  publicKeys(): { keys: PublicJwk[] }
}

export interface KeyParts {
  readonly config: Config
  /** What stands in for secrets that are not configured; see `needsGeneratedSecret`. */
  readonly generatedSecret: string | null
  readonly database: Database
  readonly log: Log
  readonly clock: Clock
  readonly monotonicMs: () => number
}

/** Whether a secret has to be generated for this configuration, which production's never needs. */
export function needsGeneratedSecret({
  tokenAlgorithm,
  tokenSecret,
  keyEncryptionSecret,
  keyFiles,
}: Config): boolean {
  if (tokenAlgorithm === 'HS256') return tokenSecret === null
  return keyFiles.length === 0 && keyEncryptionSecret === null
}

/** What seals keys in the database, and opens them; null when none of them count here. */
function keySafeOf(
  { keyFiles, keyEncryptionSecret, previousKeyEncryptionSecrets }: Config,
  generatedSecret: string | null,
): KeySafe | null {
  const secret = keyFiles.length > 0 ? null : (keyEncryptionSecret ?? generatedSecret)
  return secret === null ? null : createKeySafe(secret, previousKeyEncryptionSecrets)
}

/** What other secrets are derived from: one that all nodes share. Throws where an operator's command is given none. */
export function rootSecretOf(
  { tokenSecret, keyEncryptionSecret, keyFiles }: Config,
  generatedSecret: string | null,
): string {
  const secret = tokenSecret ?? keyEncryptionSecret ?? generatedSecret
  if (secret !== null) return secret
  if (keyFiles.length === 0)
    throw new Error('This needs the secret of the server. Give it the same settings.')
  return keyFiles.map((file) => readFileSync(file, 'utf8')).join('')
}

/** Throws an Error in words for the operator when a key file cannot be used. */
export function composeKeys({ config, generatedSecret, database, log, ...parts }: KeyParts): NodeKeys {
  const { tokenAlgorithm, tokenType, audiences } = config
  const current = tokenAlgorithm === 'HS256' ? (config.tokenSecret ?? generatedSecret) : null
  const secrets = [current, ...config.previousTokenSecrets].filter((secret) => secret !== null)
  const given = createKeyring(secrets.map(createSecret), readKeyFiles(config.keyFiles, tokenAlgorithm))
  const safe = keySafeOf(config, generatedSecret)
  const store = createSigningKeyStore(database)
  const followed =
    safe === null
      ? null
      : followKeys({
          store,
          safe,
          given,
          algorithm: tokenAlgorithm,
          accessTokenTtlSeconds: config.accessTokenTtlSeconds,
          monotonicMs: parts.monotonicMs,
          onFailure: (error) => log.warn({ err: error }, 'the signing keys cannot be read'),
          onRecovery: () => log.info('the signing keys are read again'),
          onForeignKey: (kid) => log.warn({ kid }, 'a signing key does not open with KEY_ENCRYPTION_SECRET'),
        })
  const source = followed ?? fixedKeys(given)
  const [audience] = audiences
  const aud = audiences.length > 1 ? [...audiences] : audience

  return {
    source,
    start: async () => followed?.start(),
    catchUp: async () => followed?.catchUp(),
    tasks:
      followed === null
        ? []
        : [
            { name: 'read signing keys', everyMs: READ_INTERVAL_MS, run: followed.catchUp },
            { name: 'purge signing keys', everyMs: PURGE_INTERVAL_MS, run: store.purge },
          ],
    signToken(claims) {
      const key = signingKeyAt(source.keyring(), tokenAlgorithm, parts.clock())
      if (key === null) throw new Refusal('keys_unavailable', { retryAfterSeconds: 1 })
      return signAccessToken(key, aud === undefined ? claims : { ...claims, aud }, tokenType)
    },
    publicKeys: () => publicKeySet(source.keyring(), parts.clock()),
  }
}

/** What operators' commands for keys run on. */
export function composeKeyOperator({
  config,
  generatedSecret,
  database,
}: Pick<KeyParts, 'config' | 'generatedSecret' | 'database'>): (command: KeyCommand) => Promise<KeyReport> {
  const dependencies = {
    store: createSigningKeyStore(database),
    safe: keySafeOf(config, generatedSecret),
    algorithm: config.tokenAlgorithm,
    accessTokenTtlSeconds: config.accessTokenTtlSeconds,
  }
  return (command) => runKeyCommand(dependencies, command)
}
