import { randomBytes } from 'node:crypto'
import { encodeBcryptBase64, formatBcryptSha256, prehash } from './bcrypt-sha256.js'
import { chooseDecoys, createDecoy, kindOf } from './decoys.js'
import { ARGON2ID_PARAMETERS, type HashEngine } from './hash-engine.js'
import { formatCost, parseStoredHash, type StoredHash } from './hash-format.js'

export interface PasswordVerdict {
  readonly matches: boolean
  /** The password is right, but its hash is of another scheme, an older form or a lower cost than configured. */
  readonly outdated: boolean
}

export interface PasswordHasher {
  /** Hashes all of the password; nothing is truncated (ASVS 6.2.8). */
  hash(password: string): Promise<string>
}

/** For `src/attempts` alone, which bounds how often anybody may ask (CONTRIBUTING.md, "Who may import whom"). */
export interface PasswordVerifier extends PasswordHasher {
  /**
   * Checks a password against a stored hash. `null` stands for an account that does not exist: it costs the same
   * work as a wrong password and never matches (ASVS 6.3.8). An unreadable hash never matches either.
   */
  verify(password: string, storedHash: string | null): Promise<PasswordVerdict>
}

/** The verifier of a deployment, whose table may hold hashes of several kinds. */
export interface DeploymentVerifier extends PasswordVerifier {
  /**
   * From now on every refusal costs one comparison with a hash of each of these kinds and of the configured one.
   * `beginnings` are what stands before the salt in the hashes of the table. Returns the kinds, in words.
   */
  coverKinds(beginnings: readonly string[]): readonly string[]
}

export interface HasherOptions {
  readonly scheme: 'bcrypt' | 'argon2id'
  /** log2 of bcrypt's rounds. */
  readonly bcryptCost: number
}

// bcrypt keys on the password and its closing NUL, 72 bytes in all. A plain hash of 72 bytes would therefore also
// match any longer password that begins with it, so plain bcrypt is written for 71 bytes at most.
const MAX_PLAIN_BCRYPT_BYTES = 71

const NO_MATCH: PasswordVerdict = { matches: false, outdated: false }

/**
 * Hashes under the configured scheme, and verifies every format that `parseStoredHash` reads. Rejects when a primitive
 * fails; a wrong password is a verdict, not an error.
 */
export function createPasswordHasher(engine: HashEngine, options: HasherOptions): DeploymentVerifier {
  const { scheme, bcryptCost } = options
  const configured = createConfiguredDecoy(options)
  let decoys = chooseDecoys(configured, [])

  async function hash(password: string): Promise<string> {
    if (scheme === 'argon2id') return engine.argon2idHash(password)
    const salt = randomBytes(16)
    if (Buffer.byteLength(password) <= MAX_PLAIN_BCRYPT_BYTES) {
      return engine.bcryptHash(password, bcryptCost, salt)
    }
    const key = prehash(password, 2, encodeBcryptBase64(salt))
    return formatBcryptSha256(await engine.bcryptHash(key, bcryptCost, salt), bcryptCost)
  }

  async function verify(password: string, storedHash: string | null): Promise<PasswordVerdict> {
    const stored = storedHash === null ? null : parseStoredHash(storedHash)
    if (stored !== null && (await matchesStored(password, stored))) {
      return { matches: true, outdated: isOutdated(password, stored) }
    }
    await spendRest(password, stored)
    return NO_MATCH
  }

  async function matchesStored(password: string, stored: StoredHash): Promise<boolean> {
    switch (stored.scheme) {
      case 'bcrypt':
        return engine.bcryptVerify(password, stored.modularCrypt)
      case 'bcrypt-sha256':
        return engine.bcryptVerify(prehash(password, stored.version, stored.salt), stored.modularCrypt)
      case 'argon2id':
        return engine.argon2idVerify(password, stored.phc)
    }
  }

  function isOutdated(password: string, stored: StoredHash): boolean {
    if (stored.scheme === 'argon2id') {
      const { memoryKib, passes, lanes } = ARGON2ID_PARAMETERS
      const weaker = stored.memoryKib < memoryKib || stored.passes < passes || stored.lanes < lanes
      return scheme !== 'argon2id' || weaker
    }
    if (scheme !== 'bcrypt' || stored.cost < bcryptCost) return true
    if (stored.scheme === 'bcrypt-sha256') return stored.version < 2
    return stored.variant !== '2b' || Buffer.byteLength(password) > MAX_PLAIN_BCRYPT_BYTES
  }

  /** What is left to do until each kind has been compared with once: nothing where all hashes are of one kind. */
  async function spendRest(password: string, stored: StoredHash | null): Promise<void> {
    const spent = stored && kindOf(stored)
    for (const decoy of decoys) if (kindOf(decoy) !== spent) await matchesStored(password, decoy)
  }

  function coverKinds(beginnings: readonly string[]): readonly string[] {
    decoys = chooseDecoys(configured, beginnings)
    return decoys.map(kindOf)
  }

  return { hash, verify, coverKinds }
}

function createConfiguredDecoy({ scheme, bcryptCost }: HasherOptions): StoredHash {
  const { memoryKib, passes, lanes } = ARGON2ID_PARAMETERS
  const beginning =
    scheme === 'argon2id'
      ? `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}`
      : `$2b$${formatCost(bcryptCost)}`
  const decoy = createDecoy(beginning)
  if (decoy === null) throw new Error(`no hash begins with ${beginning}`)
  return decoy
}
