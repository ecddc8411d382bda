import { availableParallelism } from 'node:os'
import type { CredentialStore } from './accounts/account.js'
import type { Config } from './config.js'
import { createTally, type Log } from './log.js'
import { readCommonPasswords } from './passwords/common-passwords.js'
import type { HashEngine } from './passwords/hash-engine.js'
import { createHashThreads, type HashThreads } from './passwords/hash-threads.js'
import {
  createPasswordHasher,
  type DeploymentVerifier,
  type PasswordVerifier,
} from './passwords/password-hasher.js'
import { createPasswordPolicy } from './passwords/password-policy.js'
import { createPasswordQueue, type PasswordQueue } from './passwords/password-queue.js'

/** Never more than cores: more would not hash more, only make everybody wait. */
function threadsOf({ hashThreads }: Config): number {
  const cores = availableParallelism()
  return hashThreads === 0 ? cores : Math.min(hashThreads, cores)
}

/** The engine of a process, which is to close it. */
export function composeHashThreads(config: Config): HashThreads {
  return createHashThreads(threadsOf(config))
}

export function composePasswords(config: Config, hashEngine: HashEngine) {
  const { passwordPolicy: name, bannedWords, passwordHash: scheme, bcryptCost } = config
  return {
    passwordPolicy: createPasswordPolicy(name, readCommonPasswords(name), bannedWords),
    hasher: createPasswordHasher(hashEngine, { scheme, bcryptCost }),
  }
}

/** Keeps what a refusal costs in step with what there is in the table. Rejects when that cannot be read. */
export function composeKindCoverage(
  verifier: DeploymentVerifier,
  credentials: CredentialStore,
  log: Log,
): () => Promise<void> {
  let covered = String(verifier.coverKinds([]))
  return async () => {
    const kinds = verifier.coverKinds(await credentials.listHashBeginnings())
    if (String(kinds) === covered) return
    covered = String(kinds)
    log.info({ kinds }, 'a refused log-in costs as much as a hash of each of these kinds')
  }
}

/** What stands between requests and the hasher. */
export function composePasswordQueue(
  config: Config,
  verifier: PasswordVerifier,
  monotonicMs: () => number,
  log: Log,
): PasswordQueue {
  return createPasswordQueue(verifier, {
    inFlight: threadsOf(config),
    maxWaitMs: config.hashMaxWaitMs,
    monotonicMs,
    onRefused: createTally(log, 'passwords refused: more arrive than can be hashed'),
  })
}
