import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { expect, onTestFinished, test } from 'vitest'
import { guardMiddleware } from '../../src/guard/express.js'
import type { GuardVerdict } from '../../src/guard/index.js'
import { waitUntil } from '../support/wait-until.js'

test('a verdict that comes after the request was answered harms nobody', async () => {
  const errors: unknown[] = []
  let decide: (verdict: GuardVerdict) => void = () => {}
  const verdict = new Promise<GuardVerdict>((resolve) => {
    decide = resolve
  })
  const app = express()
  app.use((_, response, next) => {
    next()
    response.end('that took too long')
  })
  app.use(guardMiddleware({ check: () => verdict }))
  app.use(
    ((error, _request, _response, _next) => void errors.push(error)) satisfies express.ErrorRequestHandler,
  )
  const server = createServer(app).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')

  const reply = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  expect(await reply.text()).toBe('that took too long')
  decide({ ok: false, code: 'invalid_token' })
  const error = await waitUntil('the error handler hears of it', () => errors[0] ?? null)
  expect(error).toMatchObject({ code: 'ERR_HTTP_HEADERS_SENT' })
})

test('a user that came from elsewhere does not outlive the guard', async () => {
  const users: unknown[] = []
  const anonymous: GuardVerdict = { ok: false, code: 'not_authenticated', anonymous: true }
  const middleware = guardMiddleware({ check: () => anonymous }, { optional: true })
  const app = express()
  app.use((request, _, next) => {
    Object.assign(request, { user: { id: 'somebody' } })
    next()
  })
  app.use(middleware)
  app.use((request, response) => {
    users.push(request.user)
    response.end()
  })
  const server = createServer(app).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  expect(users).toEqual([undefined])
})
