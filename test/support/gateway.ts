import type http from 'node:http'
import type { FastifyInstance } from 'fastify'
import { afterEach } from 'vitest'
import { useSmallServer } from './small-server.js'

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
  /** Makes `operations` begin here. */
  forget(): void
  count(operation: string): number
  /** Applies to the next such request, once. */
  onNext(operation: string, intervention: Intervention): void
}

/** A line over HTTP to a server that otherwise runs in-process; a test sees what goes through, and can disturb it. */
export function useGateway(find: () => FastifyInstance): Gateway {
  const operations: string[] = []
  let interventions: { operation: string; intervention: Intervention }[] = []

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

  const forget = (): void => {
    operations.length = 0
  }
  afterEach(() => {
    forget()
    interventions = []
  })
  return Object.assign(useSmallServer(answer), {
    operations,
    forget,
    count: (operation: string) => operations.filter((each) => each === operation).length,
    onNext(operation: string, intervention: Intervention) {
      interventions.push({ operation, intervention })
    },
  })
}

/** Where a request, or its reply, waits until the test lets it go on. */
export interface Gate {
  /** To be awaited on the way. */
  pass(): Promise<void>
  /** Resolves once somebody waits. */
  readonly arrived: Promise<void>
  open(): void
}

export function createGate(): Gate {
  let arrive = (): void => {}
  let open = (): void => {}
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve
  })
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return {
    pass() {
      arrive()
      return opened
    },
    arrived,
    open,
  }
}

/** Holds the next such request on its way to the server. */
export function holdNext(gateway: Gateway, operation: string): Gate {
  const gate = createGate()
  gateway.onNext(operation, async (forward) => {
    await gate.pass()
    return forward()
  })
  return gate
}
