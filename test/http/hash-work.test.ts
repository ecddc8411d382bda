import { availableParallelism } from 'node:os'
import { hash as bcryptHash } from '@node-rs/bcrypt'
import { describe, expect, test } from 'vitest'
import { type HashEngine, nativeHashEngine } from '../../src/passwords/hash-engine.js'
import { PASSWORD, type Reply, useTestApp } from '../support/test-app.js'
import { expectProblem } from './expect-problem.js'
import { disable, writeHash } from './users-table.js'

function deferred() {
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

/** The real engine, which also adds up the work it was asked for. */
function countingEngine() {
  const spent = { bcryptRounds: 0, argon2id: [] as string[] }
  const engine: HashEngine = {
    bcryptHash(key, cost, salt) {
      spent.bcryptRounds += 2 ** cost
      return nativeHashEngine.bcryptHash(key, cost, salt)
    },
    bcryptVerify(key, modularCrypt) {
      spent.bcryptRounds += 2 ** Number(modularCrypt.split('$')[2])
      return nativeHashEngine.bcryptVerify(key, modularCrypt)
    },
    argon2idHash(password) {
      spent.argon2id.push('m=19456,t=2,p=1')
      return nativeHashEngine.argon2idHash(password)
    },
    argon2idVerify(password, phc) {
      spent.argon2id.push(phc.split('$')[3]!)
      return nativeHashEngine.argon2idVerify(password, phc)
    },
  }
  return {
    engine,
    async during(work: () => Promise<unknown>) {
      Object.assign(spent, { bcryptRounds: 0, argon2id: [] })
      await work()
      return { ...spent }
    },
  }
}

describe('a refused login costs the same hash work', () => {
  const counter = countingEngine()
  const app = useTestApp({ environment: { BCRYPT_COST: '7' }, hashEngine: counter.engine })

  const workOf = (email: string, password: string) =>
    counter.during(async () =>
      expectProblem(await app.post('/api/auth/login', { email, password }), 'invalid_credentials'),
    )

  test.for(['wr0ng-Password!', '', `${PASSWORD}${'long'.repeat(30)}`])(
    'for an unknown address as for a wrong password: %j',
    async (wrong) => {
      const { email } = await app.newUser()
      const long = await app.newUser({ password: `${PASSWORD}${'long'.repeat(20)}` })
      const once = { bcryptRounds: 2 ** 7, argon2id: [] }
      expect(await workOf('nobody@example.com', wrong)).toStrictEqual(once)
      expect(await workOf(email, wrong)).toStrictEqual(once)
      expect(await workOf(long.email, wrong)).toStrictEqual(once)
    },
  )

  test('for an account whose hash is cheaper, unreadable or of a disabled account', async () => {
    const once = { bcryptRounds: 2 ** 7, argon2id: [] }
    for (const hash of [await bcryptHash(PASSWORD, 4), await bcryptHash(PASSWORD, 6), '!', '']) {
      const { id, email } = await app.newUser()
      await writeHash(app.database, id, hash)
      expect(await workOf(email, 'wr0ng-Password!')).toStrictEqual(once)
    }
    const disabled = await app.newUser()
    await disable(app.database, disabled.id)
    expect(await workOf(disabled.email, 'wr0ng-Password!')).toStrictEqual(once)
  })

  test('of none at all when the request is ill-formed', async () => {
    const spent = await counter.during(async () => {
      const reply = await app.post('/api/auth/login', { email: 'nobody', password: 'wr0ng-Password!' })
      expect(reply.status).toBe(400)
    })
    expect(spent).toStrictEqual({ bcryptRounds: 0, argon2id: [] })
  })
})

describe('a refused login where argon2id is configured', () => {
  const counter = countingEngine()
  const app = useTestApp({ environment: { PASSWORD_HASH: 'argon2id' }, hashEngine: counter.engine })

  test('costs the same work for an unknown address as for a wrong password', async () => {
    const { email } = await app.newUser()
    for (const address of [email, 'nobody@example.com']) {
      const body = { email: address, password: 'wr0ng-Password!' }
      const spent = await counter.during(() => app.post('/api/auth/login', body))
      expect(spent).toStrictEqual({ bcryptRounds: 0, argon2id: ['m=19456,t=2,p=1'] })
    }
  })
})

describe('when more passwords arrive than can be hashed', () => {
  // The engine holds every password back while the gate is closed.
  let gate = Promise.resolve()
  const app = useTestApp({
    hashEngine: {
      ...nativeHashEngine,
      async bcryptVerify(key, modularCrypt) {
        await gate
        return nativeHashEngine.bcryptVerify(key, modularCrypt)
      },
    },
  })
  const ACCEPTED = Math.min(availableParallelism(), 3) + 128
  const REFUSED = 20

  test('the rest is refused at once, everything else goes on, and the accepted ones are served', async () => {
    const user = await app.newUser()
    const closed = deferred()
    gate = closed.promise
    const refused = deferred()
    const early: Reply[] = []
    const logins = Array.from({ length: ACCEPTED + REFUSED }, async () => {
      const reply = await app.post('/api/auth/login', { email: user.email, password: PASSWORD })
      if (early.push(reply) === REFUSED) refused.resolve()
      return reply
    })

    await refused.promise
    for (const reply of early.slice(0, REFUSED)) {
      expectProblem(reply, 'overloaded')
      expect(reply.headers['retry-after']).toBe('2')
    }
    expect((await app.get('/health/live')).status).toBe(200)
    expect((await app.get('/health/ready')).status).toBe(200)
    expect((await user.get('/api/auth/profile')).body.id).toBe(user.id)
    expect((await user.put('/api/auth/profile', { name: 'Renamed' })).status).toBe(200)
    expect(early).toHaveLength(REFUSED)

    closed.resolve()
    const statuses = (await Promise.all(logins)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(ACCEPTED)
    expect(statuses.filter((status) => status === 503)).toHaveLength(REFUSED)
    expect((await app.post('/api/auth/login', { email: user.email, password: PASSWORD })).status).toBe(200)
  })
})
