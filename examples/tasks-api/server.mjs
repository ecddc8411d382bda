// A small per-user tasks API, in a process of its own, protected by Keyward's tokens.
import Fastify from 'fastify'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createGuard, followRevocations } from 'keyward/guard'
import { guardPlugin } from 'keyward/guard/fastify'

// The secret that Keyward signs with: from the environment, or the one `npm start` has made.
const secret =
  process.env.BETTER_AUTH_SECRET ??
  readFileSync(process.env.BETTER_AUTH_SECRET_FILE ?? 'data/secret', 'utf8').trim()

// With the feed's token, a log-out at Keyward counts here as well, within a moment.
const feedToken = process.env.REVOCATION_FEED_TOKEN
const followed =
  feedToken &&
  followRevocations({ url: process.env.KEYWARD_URL ?? 'http://127.0.0.1:8000', token: feedToken })

const app = Fastify()
await app.register(guardPlugin, {
  guard: createGuard(followed ? { secret, revocations: followed.check } : { secret }),
})

/** User id → that user's tasks. */
const tasksByUser = new Map()
const tasksOf = (user) => tasksByUser.get(user.id) ?? []

app.get('/health', async () => ({ status: 'ok' }))

// Everything in this scope needs a token; `request.user` is whose.
await app.register(async (tasks) => {
  tasks.addHook('onRequest', app.authenticate)

  tasks.get('/tasks', async (request) => tasksOf(request.user))

  const body = {
    type: 'object',
    required: ['title'],
    properties: { title: { type: 'string', minLength: 1 } },
  }
  tasks.post('/tasks', { schema: { body } }, async (request, reply) => {
    const task = { id: randomUUID(), title: request.body.title, done: false }
    tasksByUser.set(request.user.id, [...tasksOf(request.user), task])
    return reply.code(201).send(task)
  })

  tasks.delete('/tasks/:id', async (request, reply) => {
    const remaining = tasksOf(request.user).filter(({ id }) => id !== request.params.id)
    // Somebody else's task is as good as none.
    if (remaining.length === tasksOf(request.user).length) return reply.code(404).send()
    tasksByUser.set(request.user.id, remaining)
    return reply.code(204).send()
  })
})

const address = await app.listen({ port: Number(process.env.PORT ?? 8001), host: '127.0.0.1' })
console.log(`The tasks API listens on ${address}`)
