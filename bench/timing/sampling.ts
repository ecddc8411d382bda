import { randomInt } from 'node:crypto'
import { Connection } from '../load/connection.js'

const WRONG_PASSWORD = 'Wr0ng-horse!battery'

/**
 * How long the refusal of each log-in took, in microseconds. Round after round, each class has one, in an order that is
 * drawn anew: no class always follows the same other one. `turn` numbers the first log-in: none may have come before.
 */
export async function sampleRefusals(
  url: string,
  emailsOfClasses: readonly (readonly string[])[],
  turn = 0,
): Promise<number[][]> {
  const connection = new Connection(new URL(url))
  const samples: number[][] = emailsOfClasses.map(() => [])
  const rounds = emailsOfClasses[0]?.length ?? 0
  let next = turn
  try {
    for (let round = 0; round < rounds; round++) {
      for (const index of shuffled(emailsOfClasses.length)) {
        const email = emailsOfClasses[index]?.[round] ?? ''
        samples[index]?.push(await timeRefusal(connection, toRequest(email, next++)))
      }
    }
  } finally {
    connection.close()
  }
  return samples
}

function timeRefusal(connection: Connection, request: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    connection.send(request, ({ status }) => {
      const duration = (performance.now() - began) * 1_000
      if (status === 401) resolve(duration)
      else reject(new Error(`a log-in was answered with ${status || 'a broken connection'} instead of 401`))
    })
  })
}

/** Each comes from an address of its own, as behind a proxy: limits are on, and none is to be met. */
function toRequest(email: string, turn: number): Buffer {
  const body = JSON.stringify({ email, password: WRONG_PASSWORD })
  const address = [10, turn >> 16, (turn >> 8) & 255, turn & 255].join('.')
  return Buffer.from(
    [
      'POST /api/auth/login HTTP/1.1',
      'Host: localhost',
      `X-Forwarded-For: ${address}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  )
}

/** The numbers below `count` in random order (Fisher and Yates). */
function shuffled(count: number): number[] {
  const numbers = Array.from({ length: count }, (_, index) => index)
  for (let last = count - 1; last > 0; last--) {
    const other = randomInt(last + 1)
    const moved = numbers[last] as number
    numbers[last] = numbers[other] as number
    numbers[other] = moved
  }
  return numbers
}
