import type { Job, LoadReport } from '../load/job.js'
import { authorizedReads, logins, mixedLogins } from '../requests.js'
import { type KnownUser, passwordHash } from '../seed.js'
import { PASSWORD } from '../servers/keyward.js'
import type { Stage } from '../stage.js'

export const PROFILE = '/api/auth/profile'
/** Of readers in a closed loop. */
export const READERS = 16
/** Of readers in an open loop. */
export const READS_PER_SECOND = 100
/** How many times what the machine can hash is offered in a storm. */
export const STORM_FACTOR = 10
/** Until the queue of passwords is full and its wait has settled. */
export const STORM_WARMUP_SECONDS = 3

/** Who is asked, by whom, and for how long. */
export interface Run extends Pick<Job, 'warmupSeconds' | 'seconds'> {
  readonly stage: Stage
  readonly url: string
  readonly users: readonly KnownUser[]
}

/** Reads as fast as the answers come. */
export async function readClosed(
  { stage, url, users, ...times }: Run,
  path = PROFILE,
  connections = READERS,
): Promise<LoadReport> {
  const target = { url, requests: authorizedReads(path, users), served: [200] }
  return requireAllServed(path, await stage.readers.run({ kind: 'closed', target, connections, ...times }))
}

/** Logs in, with the right password, as fast as the answers come. */
export async function loginClosed(
  { stage, url, users, ...times }: Run,
  connections: number,
): Promise<LoadReport> {
  const target = { url, requests: logins(users), served: [200] }
  const report = await stage.attackers.run({ kind: 'closed', target, connections, ...times })
  return requireAllServed('log-ins', report)
}

/** Profiles read at a steady pace, as by people who are logged in already. */
export function readAtPace({ stage, url, users, ...times }: Run): Promise<LoadReport> {
  const target = { url, requests: authorizedReads(PROFILE, users), served: [200] }
  return stage.readers.run({ kind: 'open', target, perSecond: READS_PER_SECOND, ...times })
}

/** Log-ins that don't wait for each other. One that was decided, 200 or 401, took a hash and was served. */
export function offerLogins({ stage, url, users, ...times }: Run, perSecond: number): Promise<LoadReport> {
  const target = { url, requests: mixedLogins(users), served: [200, 401] }
  return stage.attackers.run({ kind: 'open', target, perSecond, ...times })
}

/** How many bcrypt hashes this machine checks on all cores, without any server. */
export async function measureHashing(stage: Stage, seconds: number): Promise<LoadReport> {
  const hash = await passwordHash
  const warmupSeconds = stage.seconds(1)
  return stage.attackers.run({ kind: 'hash', password: PASSWORD, hash, warmupSeconds, seconds })
}

/** Errors are answered fast: a measurement that has some is none. */
function requireAllServed(what: string, report: LoadReport): LoadReport {
  const { offered, served, unanswered, statuses } = report
  if (served.count === offered && offered > 0) return report
  throw new Error(
    `${what}: ${offered} requests, ${unanswered} unanswered, statuses ${JSON.stringify(statuses)}`,
  )
}
