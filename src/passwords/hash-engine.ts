/** argon2id of OWASP ASVS 5.0 appendix C: 19 MiB, two passes, one lane. */
export const ARGON2ID_PARAMETERS = { memoryKib: 19_456, passes: 2, lanes: 1 } as const

/**
 * The expensive primitives, and nothing else, so that tests can count them and that one place runs them.
 * Every method rejects when the primitive fails; none of them decides anything.
 */
export interface HashEngine {
  /** Writes `$2b$`. `key` must have at most 72 bytes: bcrypt ignores the rest. */
  bcryptHash(key: string, cost: number, salt: Uint8Array): Promise<string>
  bcryptVerify(key: string, modularCrypt: string): Promise<boolean>
  argon2idHash(password: string): Promise<string>
  argon2idVerify(password: string, phc: string): Promise<boolean>
}
