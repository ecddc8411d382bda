import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { getRequestListener } from '@hono/node-server'
import express5, { type ErrorRequestHandler } from 'express'
import express4 from 'express4'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { requestId } from 'hono/request-id'
import { guardMiddleware as expressGuard } from '../../../src/guard/express.js'
import { guardPlugin } from '../../../src/guard/fastify.js'
import { guardMiddleware as honoGuard } from '../../../src/guard/hono.js'
import type { Guard, Principal } from '../../../src/guard/index.js'
import { withGuard } from '../../../src/guard/next.js'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

/**
 * A small API under a guard. `/` answers with the principal as JSON, on every method; `/broken` throws. Errors that reach
 * the framework's error handler are collected, and their message is shown to the client, as careless applications do.
 */
export interface GuardedApi {
  /** Headers as they go over the wire, so that one may be sent twice. */
  send(method: string, path: string, headers?: readonly (readonly [string, string])[]): Promise<Answer>
  /** What the handler was told, call by call. */
  readonly principals: (Principal | null)[]
  readonly errors: unknown[]
  close(): Promise<void>
}

export interface Adapter {
  readonly name: string
  /** Whether its refusals hold a `request_id`. */
  readonly namesRequests: boolean
  start(guard: Guard, options: { optional: boolean }): Promise<GuardedApi>
}

export const BROKEN = 'the handler broke'

type Records = Pick<GuardedApi, 'principals' | 'errors'>
const newRecords = (): Records => ({ principals: [], errors: [] })

async function serve(server: Server, records: Records): Promise<GuardedApi> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return overHttp(server, records, async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
}

function overHttp(server: Server, records: Records, close: () => Promise<void>): GuardedApi {
  const { port } = server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  return {
    ...records,
    async close() {
      agent.destroy()
      await close()
    },
    async send(method, path, headers = []) {
      const raw = [['Host', 'api.example.com'], ...headers].flat()
      const request = httpRequest({ host: '127.0.0.1', port, method, path, headers: raw, agent })
      request.end()
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      const answered = new Headers()
      for (const [name, value] of Object.entries(response.headersDistinct)) {
        for (const each of value ?? []) answered.append(name, each)
      }
      return { status: response.statusCode ?? 0, headers: answered, body: await text(response) }
    },
  }
}

const fastify: Adapter = {
  name: 'Fastify',
  namesRequests: true,
  async start(guard, { optional }) {
    const records = newRecords()
    const app = Fastify()
    app.setErrorHandler((error: Error, _, reply) => {
      records.errors.push(error)
      return reply.code(500).send(error.message)
    })
    await app.register(guardPlugin, { guard })
    app.addHook('onRequest', optional ? app.authenticateOptionally : app.authenticate)
    app.route({
      method: ['GET', 'HEAD', 'OPTIONS', 'DELETE'],
      url: '/',
      handler: async (request, reply) => {
        const principal = optional ? request.optionalUser : request.user
        records.principals.push(principal)
        return reply.type('application/json').send(JSON.stringify(principal))
      },
    })
    app.get('/broken', async () => {
      throw new Error(BROKEN)
    })
    await app.listen({ host: '127.0.0.1', port: 0 })
    return overHttp(app.server, records, () => app.close())
  },
}

const express = (name: string, create: typeof express5 | typeof express4): Adapter => ({
  name,
  namesRequests: false,
  start(guard, options) {
    const records = newRecords()
    // The two agree on everything that is used here.
    const app = (create as typeof express5)()
    app.use(expressGuard(guard, options))
    app.all('/', (request, response) => {
      records.principals.push(request.user ?? null)
      response.json(request.user ?? null)
    })
    app.get('/broken', (_, __, next) => {
      // Later, and by hand: Express 4 does not wait for promises.
      setImmediate(() => next(new Error(BROKEN)))
    })
    const onError: ErrorRequestHandler = (error: Error, _, response, __) => {
      records.errors.push(error)
      response.status(500).send(error.message)
    }
    app.use(onError)
    return serve(createServer(app), records)
  },
})

const hono: Adapter = {
  name: 'Hono',
  namesRequests: true,
  start(guard, options) {
    const records = newRecords()
    const app = new Hono()
      .use(requestId())
      .use(honoGuard(guard, options))
      .all('/', (c) => {
        records.principals.push(c.var.user)
        return c.json(c.var.user)
      })
      .get('/broken', async () => {
        throw new Error(BROKEN)
      })
    app.onError((error, c) => {
      records.errors.push(error)
      return c.text(error.message, 500)
    })
    // Its own Request must not replace the one of this process, which other adapters use.
    const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false })
    return serve(
      createServer((request, response) => void listener(request, response)),
      records,
    )
  },
}

/** Next.js calls an exported handler with its request and a context, and answers 500 when it rejects. */
const next: Adapter = {
  name: 'Next.js',
  namesRequests: false,
  async start(guard, options) {
    const records = newRecords()
    interface Context {
      readonly params: Promise<{ readonly path: string }>
    }
    const handle = withGuard(
      guard,
      async (_: Request, user: Principal | null, { params }: Context) => {
        if ((await params).path === '/broken') throw new Error(BROKEN)
        records.principals.push(user)
        return Response.json(user)
      },
      options,
    )
    return {
      ...records,
      close: async () => {},
      async send(method, path, headers = []) {
        const request = new Request(`https://api.example.com${path}`, { method })
        for (const [name, value] of headers) request.headers.append(name, value)
        const response = await handle(request, { params: Promise.resolve({ path }) }).catch(
          (error: Error) => {
            records.errors.push(error)
            return new Response(error.message, { status: 500 })
          },
        )
        return { status: response.status, headers: response.headers, body: await response.text() }
      },
    }
  },
}

export const ADAPTERS: readonly Adapter[] = [
  fastify,
  express('Express 5', express5),
  express('Express 4', express4),
  hono,
  next,
]
