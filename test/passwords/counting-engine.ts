import type { HashEngine } from '../../src/passwords/hash-engine.js'

export interface CountingEngine extends HashEngine {
  /** Work since the last call of this: 2^cost for a bcrypt hash, in `bcrypt`; one for an argon2id hash, in `argon2id`. */
  takeWork(): { bcrypt: number; argon2id: number }
}

/** Computes nothing and counts what would have been computed. Only `right` is a right password. */
export function createCountingEngine(right: string): CountingEngine {
  let work = { bcrypt: 0, argon2id: 0 }
  return {
    async bcryptHash() {
      throw new Error('a check of a password must not write a hash')
    },
    async argon2idHash() {
      throw new Error('a check of a password must not write a hash')
    },
    async bcryptVerify(key, modularCrypt) {
      work.bcrypt += 2 ** Number(modularCrypt.slice(4, 6))
      return key === right
    },
    async argon2idVerify(password) {
      work.argon2id++
      return password === right
    },
    takeWork() {
      const done = work
      work = { bcrypt: 0, argon2id: 0 }
      return done
    },
  }
}
