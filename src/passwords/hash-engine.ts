import { hash as argon2Hash, verify as argon2Verify } from '@node-rs/argon2'
import { hash as bcryptHash, verify as bcryptVerify } from '@node-rs/bcrypt'

/** argon2id of OWASP ASVS 5.0 appendix C: 19 MiB, two passes, one lane. */
export const ARGON2ID_PARAMETERS = { memoryKib: 19_456, passes: 2, lanes: 1 } as const

/**
 * The expensive primitives, and nothing else, so that tests can count them and that one place bounds them.
 * Every method rejects when the primitive fails; none of them decides anything.
 */
export interface HashEngine {
  /** Writes `$2b$`. `key` must have at most 72 bytes: bcrypt ignores the rest. */
  bcryptHash(key: string, cost: number, salt: Buffer): Promise<string>
  bcryptVerify(key: string, modularCrypt: string): Promise<boolean>
  argon2idHash(password: string): Promise<string>
  argon2idVerify(password: string, phc: string): Promise<boolean>
}

const ARGON2ID = 2

export const nativeHashEngine: HashEngine = {
  bcryptHash: (key, cost, salt) => bcryptHash(key, cost, salt),
  bcryptVerify: (key, modularCrypt) => bcryptVerify(key, modularCrypt),
  argon2idHash: (password) =>
    argon2Hash(password, {
      algorithm: ARGON2ID,
      memoryCost: ARGON2ID_PARAMETERS.memoryKib,
      timeCost: ARGON2ID_PARAMETERS.passes,
      parallelism: ARGON2ID_PARAMETERS.lanes,
    }),
  argon2idVerify: (password, phc) => argon2Verify(phc, password),
}
