import type { HashEngine } from '../../src/passwords/hash-engine.js'
import { hashPrimitives } from '../../src/passwords/hash-primitives.js'

/** The product's primitives, without threads. */
export const nativeHashEngine: HashEngine = {
  bcryptHash: async (...values) => hashPrimitives.bcryptHash(...values),
  bcryptVerify: async (...values) => hashPrimitives.bcryptVerify(...values),
  argon2idHash: async (...values) => hashPrimitives.argon2idHash(...values),
  argon2idVerify: async (...values) => hashPrimitives.argon2idVerify(...values),
}
