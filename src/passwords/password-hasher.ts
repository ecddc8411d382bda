import { randomBytes } from 'node:crypto'
import { encodeBcryptBase64, formatBcryptSha256, prehash } from './bcrypt-sha256.js'
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

export interface HasherOptions {
  readonly scheme: 'bcrypt' | 'argon2id'
  /** log2 of bcrypt's rounds. */
  readonly bcryptCost: number
}

// bcrypt keys on the password and its closing NUL, 72 bytes in all. A plain hash of 72 bytes would therefore also
// match any longer password that begins with it, so plain bcrypt is written for 71 bytes at most.
const MAX_PLAIN_BCRYPT_BYTES = 71

const NO_MATCH: PasswordVerdict = { matches: false, outdated: false }
const DUMMY_BCRYPT_TAIL = 'IQ7GqWIzUpOJCwBOBdyXaeWxZRdFhhuMLFMCA5wRPMGbq5CmmdTzS'
const DUMMY_ARGON2ID = `$argon2id$v=19$m=${ARGON2ID_PARAMETERS.memoryKib},t=${ARGON2ID_PARAMETERS.passes},p=${ARGON2ID_PARAMETERS.lanes}$c29tZSBzYWx0IG9mIDE2Qg$3yzhTDjhFHAMVkWYMcDqdnNb0TfQ7xbKpZIVdGlaFDs`

export function createPasswordHasher(engine: HashEngine, options: HasherOptions): PasswordVerifier {
  const { scheme, bcryptCost } = options

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
    if (stored === null) {
      await spendDummyWork(password)
      return NO_MATCH
    }
    if (await matchesStored(password, stored)) {
      return { matches: true, outdated: isOutdated(password, stored) }
    }
    await spendMissingWork(password, stored)
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

  async function spendDummyWork(password: string): Promise<void> {
    if (scheme === 'argon2id') await engine.argon2idVerify(password, DUMMY_ARGON2ID)
    else await spendBcrypt(password, bcryptCost)
  }

  /**
   * A wrong password for a cheaper hash must not answer sooner. Each step of cost doubles the work, so one hash at
   * each cost from the stored one up to just below the configured one adds exactly what is missing.
   */
  async function spendMissingWork(password: string, stored: StoredHash): Promise<void> {
    if (scheme !== 'bcrypt' || stored.scheme === 'argon2id') return
    for (let cost = stored.cost; cost < bcryptCost; cost++) await spendBcrypt(password, cost)
  }

  async function spendBcrypt(password: string, cost: number): Promise<void> {
    await engine.bcryptVerify(password, `$2b$${formatCost(cost)}$${DUMMY_BCRYPT_TAIL}`)
  }

  return { hash, verify }
}
