import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { afterAll, afterEach, beforeAll } from 'vitest'

export interface GatewayReply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Decides what becomes of a request: it may be forwarded or not, and null means that no reply gets through. */
type Intervention = (forward: () => Promise<GatewayReply>) => Promise<GatewayReply | null>

export interface Gateway {
  readonly url: string
  /** Requests of the running test, oldest first, such as `POST /api/auth/login`. */
  readonly operations: readonly string[]
  count(operation: string): number
  /** Applies to the next such request, once. */
  onNext(operation: string, intervention: Intervention): void
}

/** A line over HTTP to a server that otherwise runs in-process; a test sees what goes through, and can disturb it. */
export function useGateway(find: () => FastifyInstance): Gateway {
  const operations: string[] = []
  let interventions: { operation: string; intervention: Intervention }[] = []

  const server = http.createServer((request, response) => void answer(request, response))

  async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const operation = `${request.method} ${request.url}`
    operations.push(operation)
    const payload = Buffer.concat(await request.toArray())
    const forward = async (): Promise<GatewayReply> => {
      const { statusCode, headers, body } = await find().inject({
        method: request.method as 'GET',
        url: request.url ?? '/',
        headers: request.headers,
        payload,
      })
      return { status: statusCode, headers: headers as Record<string, string>, body }
    }
    const intervene = takeIntervention(operation)
    const reply = intervene ? await intervene(forward) : await forward()
    if (reply === null) response.destroy()
    else response.writeHead(reply.status, reply.headers).end(reply.body)
  }

  function takeIntervention(operation: string): Intervention | undefined {
    const found = interventions.find((each) => each.operation === operation)
    interventions = interventions.filter((each) => each !== found)
    return found?.intervention
  }

  const gateway = {
    url: '',
    operations,
    count: (operation: string) => operations.filter((each) => each === operation).length,
    onNext(operation: string, intervention: Intervention) {
      interventions.push({ operation, intervention })
    },
  }
  beforeAll(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    gateway.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterEach(() => {
    operations.length = 0
    interventions = []
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  return gateway
}

/** A request that waits on its way until the test lets it go on. */
export function holdNext(
  gateway: Gateway,
  operation: string,
): { arrived: Promise<void>; release: () => void } {
  let release = (): void => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const arrived = new Promise<void>((resolve) => {
    gateway.onNext(operation, async (forward) => {
      resolve()
      await released
      return forward()
    })
  })
  return { arrived, release }
}
