// An API of somebody else: one route behind the package's guard, which follows the feed of ended sessions.
import Fastify from 'fastify'
import { createGuard, followRevocations } from 'keyward/guard'
import { guardPlugin } from 'keyward/guard/fastify'
import { announce } from './listen.mjs'

const { BETTER_AUTH_SECRET: secret, REVOCATION_FEED_TOKEN: token, KEYWARD_URL: url } = process.env
const followed = followRevocations({ url, token })
await followed.ready

const app = Fastify()
await app.register(guardPlugin, { guard: createGuard({ secret, revocations: followed.check }) })
const schema = { response: { 200: { type: 'object', properties: { id: { type: 'string' } } } } }
// Without a promise for each request, as in Fastify's own benchmarks.
app.get('/whoami', { schema, onRequest: app.authenticate }, (request, reply) => {
  reply.send({ id: request.user.id })
})
announce(await app.listen({ port: 0, host: '127.0.0.1' }))
