import express5 from 'express'
import express4 from 'express4'
import { Hono } from 'hono'
import { expectTypeOf, test } from 'vitest'
import { guardMiddleware as expressGuard } from '../../../src/guard/express.js'
import { guardMiddleware as honoGuard } from '../../../src/guard/hono.js'
import { createGuard, type Principal } from '../../../src/guard/index.js'
import { withGuard } from '../../../src/guard/next.js'
import { SECRET } from '../../core/sample-token.js'

const guard = createGuard({ secret: SECRET })

// The type checker judges these; running them shows only that nothing throws.
test('Express 4 and 5 take the middleware, and know that there may be no user', () => {
  express5().get('/', expressGuard(guard), (request) => {
    expectTypeOf(request.user).toEqualTypeOf<Express.User | undefined>()
    expectTypeOf(request.user!).toExtend<Principal>()
  })
  express4().get('/', expressGuard(guard, { optional: true }), (request) => {
    expectTypeOf(request.user).toEqualTypeOf<Express.User | undefined>()
  })
})

test('behind Hono’s middleware there is a user, or null where credentials are optional', () => {
  new Hono().get('/', honoGuard(guard), (c) => {
    expectTypeOf(c.var.user).toEqualTypeOf<Principal>()
    return c.body(null)
  })
  new Hono().get('/', honoGuard(guard, { optional: true }), (c) => {
    expectTypeOf(c.var.user).toEqualTypeOf<Principal | null>()
    return c.body(null)
  })
})

test('a wrapped route handler takes what its server passes', () => {
  interface NextRequest extends Request {
    readonly nextUrl: URL
  }
  interface Context {
    params: Promise<{ id: string }>
  }
  const get = withGuard(guard, (request: NextRequest, user, context: Context) => {
    expectTypeOf(user).toEqualTypeOf<Principal>()
    return Response.json([request.nextUrl, context.params])
  })
  expectTypeOf(get).toEqualTypeOf<(request: NextRequest, context: Context) => Promise<Response>>()

  const optional = withGuard(guard, (_, user) => Response.json(user?.id), { optional: true })
  expectTypeOf(optional).toEqualTypeOf<(request: Request) => Promise<Response>>()
})
