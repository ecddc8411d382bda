import type { HashEngine } from '../../src/passwords/hash-engine.js'

export interface CountingEngine extends HashEngine {
  /**
   * What was compared since the last call of this, sorted: like `bcrypt 12` or `argon2id m=19456,t=2,p=1`. Equal
   * lists are equal work to the last round: unlike a sum of rounds, they count what each hash takes besides.
   */
  takeWork(): string[]
}

/** Computes nothing and notes what would have been computed. Only `right` is a right password. */
export function createCountingEngine(right: string): CountingEngine {
  let work: string[] = []
  return {
    async bcryptHash() {
      throw new Error('a check of a password must not write a hash')
    },
    async argon2idHash() {
      throw new Error('a check of a password must not write a hash')
    },
    async bcryptVerify(key, modularCrypt) {
      work.push(`bcrypt ${modularCrypt.slice(4, 6)}`)
      return key === right
    },
    async argon2idVerify(password, phc) {
      work.push(`argon2id ${phc.split('$')[3]}`)
      return password === right
    },
    takeWork() {
      const done = work.sort()
      work = []
      return done
    },
  }
}
