import { hashSync as argon2Hash, verifySync as argon2Verify } from '@node-rs/argon2'
import { hashSync as bcryptHash, verifySync as bcryptVerify } from '@node-rs/bcrypt'
import { ARGON2ID_PARAMETERS, type HashEngine } from './hash-engine.js'

/** The engine's primitives as they run in a thread: each holds its thread until it is done. */
export type HashPrimitives = {
  readonly [Name in keyof HashEngine]: (
    ...values: Parameters<HashEngine[Name]>
  ) => Awaited<ReturnType<HashEngine[Name]>>
}

const ARGON2ID = 2

export const hashPrimitives: HashPrimitives = {
  bcryptHash: (key, cost, salt) => bcryptHash(key, cost, Buffer.from(salt)),
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
