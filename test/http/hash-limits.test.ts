import { availableParallelism } from 'node:os'
import type { HashEngine } from '../../src/passwords/hash-engine.js'
import { describe, expect, test } from 'vitest'
import { nativeHashEngine } from '../support/native-hash-engine.js'
import { PASSWORD, useTestApp } from '../support/test-app.js'
import { waitUntil } from '../support/wait-until.js'

/** Checks take as long as `hold` says, and are counted. */
function createHeldEngine() {
  const state = { hold: Promise.resolve(), running: 0 }
  const engine: HashEngine = {
    ...nativeHashEngine,
    async bcryptVerify(...values) {
      state.running++
      await state.hold
      state.running--
      return nativeHashEngine.bcryptVerify(...values)
    },
  }
  return { state, engine }
}

describe('HASH_THREADS beyond the machine', () => {
  const { state, engine } = createHeldEngine()
  // Its clock stands still, so that nobody's patience ends however slow the machine.
  const app = useTestApp({
    hashEngine: engine,
    monotonicMs: () => 0,
    environment: { HASH_THREADS: '64' },
  })

  test('hashes no more at once than there are cores', async () => {
    const user = await app.newUser()
    let release = (): void => {}
    state.hold = new Promise((resolve) => {
      release = resolve
    })
    const logins = Array.from({ length: availableParallelism() + 4 }, () =>
      app.post('/api/auth/login', { email: user.email, password: PASSWORD }),
    )
    await waitUntil('all cores are busy', () => state.running === availableParallelism())
    // Whoever else would start has had the time of several requests to do so.
    for (let i = 0; i < 5; i++) await user.get('/api/auth/profile')
    expect(state.running).toBe(availableParallelism())
    release()
    for (const { status } of await Promise.all(logins)) expect(status).toBe(200)
  })
})

describe.for([
  { maxWaitMs: '4000', waiting: 40 },
  { maxWaitMs: '100', waiting: 15 },
])('HASH_MAX_WAIT=$maxWaitMs where a hash takes 100 ms', ({ maxWaitMs, waiting }) => {
  const { state, engine } = createHeldEngine()
  let now = 0
  const app = useTestApp({
    hashEngine: {
      ...engine,
      bcryptHash(...values) {
        now += 100
        return engine.bcryptHash(...values)
      },
    },
    monotonicMs: () => now,
    environment: { HASH_THREADS: '1', HASH_MAX_WAIT: maxWaitMs },
  })

  test(`lets ${waiting} wait`, async () => {
    const user = await app.newUser()
    let release = (): void => {}
    state.hold = new Promise((resolve) => {
      release = resolve
    })
    let refused = 0
    const logins = Array.from({ length: 1 + waiting + 3 }, async () => {
      const { status } = await app.post('/api/auth/login', { email: user.email, password: PASSWORD })
      if (status === 503) refused++
      return status
    })
    await waitUntil('the rest is refused', () => refused === 3)
    release()
    expect((await Promise.all(logins)).filter((status) => status === 200)).toHaveLength(1 + waiting)
  })
})
