import { setTimeout as delay } from 'node:timers/promises'
import { Connection } from './connection.js'
import type { OpenLoop } from './job.js'
import type { Tally } from './tally.js'

const PATIENCE_MS = 10_000

/**
 * Sends each request at its time until `until`, whatever has been answered by then, on a connection that is idle or on a
 * new one; then gives what is under way its time. Planned times never shift, so a late request does not delay others.
 */
export async function runOpenLoop(
  { target, perSecond }: OpenLoop,
  tally: Tally,
  until: number,
): Promise<void> {
  const url = new URL(target.url)
  const requests = target.requests.map((text) => Buffer.from(text))
  const idle: Connection[] = []
  const busy = new Set<Connection>()

  const takeConnection = (): Connection => {
    for (let connection = idle.pop(); connection; connection = idle.pop()) {
      if (connection.isOpen) return connection
    }
    return new Connection(url)
  }

  const send = (turn: number, lagMs: number): void => {
    const connection = takeConnection()
    busy.add(connection)
    const sentAt = performance.now()
    tally.sent(sentAt, lagMs)
    connection.send(requests[turn % requests.length] as Buffer, (reply) => {
      tally.answered(sentAt, performance.now(), reply)
      busy.delete(connection)
      idle.push(connection)
    })
  }

  const began = performance.now()
  const intervalMs = 1000 / perSecond
  for (let turn = 0; began + turn * intervalMs < until; turn++) {
    const wait = began + turn * intervalMs - performance.now()
    if (wait > 0) await delay(Math.ceil(wait))
    send(turn, performance.now() - began - turn * intervalMs)
  }
  const giveUpAt = performance.now() + PATIENCE_MS
  while (busy.size > 0 && performance.now() < giveUpAt) await delay(20)
  for (const connection of [...idle, ...busy]) connection.close()
}
