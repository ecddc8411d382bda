import { Connection } from './connection.js'
import type { ClosedLoop } from './job.js'
import type { Tally } from './tally.js'

/** Sends until the time `until`, then waits for what is under way. */
export async function runClosedLoop(
  { target, connections }: ClosedLoop,
  tally: Tally,
  until: number,
): Promise<void> {
  const url = new URL(target.url)
  const requests = target.requests.map((text) => Buffer.from(text))
  let turn = 0

  const occupy = (connection: Connection, onEnd: () => void): void => {
    const sentAt = performance.now()
    if (sentAt >= until || !connection.isOpen) return onEnd()
    tally.sent(sentAt)
    connection.send(requests[turn++ % requests.length] as Buffer, (reply) => {
      tally.answered(sentAt, performance.now(), reply)
      occupy(connection, onEnd)
    })
  }

  const occupyOne = async (): Promise<void> => {
    const connection = new Connection(url)
    await new Promise<void>((resolve) => occupy(connection, resolve))
    connection.close()
  }
  await Promise.all(Array.from({ length: connections }, occupyOne))
}
