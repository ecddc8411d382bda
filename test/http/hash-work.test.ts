import { hash as argon2Hash } from '@node-rs/argon2'
import { hash as bcryptHash } from '@node-rs/bcrypt'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { HashEngine } from '../../src/passwords/hash-engine.js'
import { nativeHashEngine } from '../support/native-hash-engine.js'
import { buildTestApp, PASSWORD, type TestApp, useTestApp } from '../support/test-app.js'
import { waitUntil } from '../support/wait-until.js'
import { expectProblem } from './expect-problem.js'
import { disable, writeHash } from './users-table.js'

const WRONG = 'wr0ng-Password!'

/** The real engine, which also notes what it was asked for. */
function createNotingEngine() {
  let work: string[] = []
  const engine: HashEngine = {
    bcryptHash(key, cost, salt) {
      work.push(`new bcrypt ${cost}`)
      return nativeHashEngine.bcryptHash(key, cost, salt)
    },
    bcryptVerify(key, modularCrypt) {
      work.push(`bcrypt ${modularCrypt.split('$')[2]}`)
      return nativeHashEngine.bcryptVerify(key, modularCrypt)
    },
    argon2idHash(password) {
      work.push('new argon2id')
      return nativeHashEngine.argon2idHash(password)
    },
    argon2idVerify(password, phc) {
      work.push(`argon2id ${phc.split('$')[3]}`)
      return nativeHashEngine.argon2idVerify(password, phc)
    },
  }
  return {
    engine,
    /** The work of a log-in that is refused as one with wrong credentials. */
    async workOf(app: TestApp, email: string, password: string): Promise<string[]> {
      work = []
      expectProblem(await app.post('/api/auth/login', { email, password }), 'invalid_credentials')
      return work.sort()
    },
    async during(action: () => Promise<unknown>): Promise<string[]> {
      work = []
      await action()
      return work
    },
  }
}

describe('a refused login costs the same hash work', () => {
  const { engine, workOf, during } = createNotingEngine()
  const app = useTestApp({ environment: { BCRYPT_COST: '7' }, hashEngine: engine })
  const ONCE = ['bcrypt 07']

  test.for([WRONG, '', `${PASSWORD}${'long'.repeat(30)}`])(
    'for an unknown address as for a wrong password: %j',
    async (wrong) => {
      const { email } = await app.newUser()
      const long = await app.newUser({ password: `${PASSWORD}${'long'.repeat(20)}` })
      expect(await workOf(app, 'nobody@example.com', wrong)).toStrictEqual(ONCE)
      expect(await workOf(app, email, wrong)).toStrictEqual(ONCE)
      expect(await workOf(app, long.email, wrong)).toStrictEqual(ONCE)
    },
  )

  test('for an account that is disabled, or whose hash is unreadable', async () => {
    for (const hash of ['!', '']) {
      const { id, email } = await app.newUser()
      await writeHash(app.database, id, hash)
      expect(await workOf(app, email, WRONG)).toStrictEqual(ONCE)
    }
    const disabled = await app.newUser()
    await disable(app.database, disabled.id)
    expect(await workOf(app, disabled.email, WRONG)).toStrictEqual(ONCE)
  })

  test('for a generated password that has expired: wrong or right', async () => {
    const { id, email } = await app.newUser()
    const { generatedPassword } = await app.runUserCommand({
      action: 'set-password',
      who: id,
      password: null,
    })
    app.passSeconds(86_400)
    expect(await workOf(app, email, WRONG)).toStrictEqual(ONCE)
    expect(await workOf(app, email, generatedPassword!)).toStrictEqual(ONCE)
  })

  test('of none at all when the request is ill-formed', async () => {
    const work = await during(async () => {
      const reply = await app.post('/api/auth/login', { email: 'nobody', password: WRONG })
      expect(reply.status).toBe(400)
    })
    expect(work).toStrictEqual([])
  })
})

describe('a refused login where argon2id is configured', () => {
  const { engine, workOf } = createNotingEngine()
  const app = useTestApp({ environment: { PASSWORD_HASH: 'argon2id' }, hashEngine: engine })

  test('costs the same work for an unknown address as for a wrong password', async () => {
    const { email } = await app.newUser()
    for (const address of [email, 'nobody@example.com']) {
      expect(await workOf(app, address, WRONG)).toStrictEqual(['argon2id m=19456,t=2,p=1'])
    }
  })
})

describe('a kind of hash that comes into the table, or goes from it, while a server runs', () => {
  const { engine, workOf } = createNotingEngine()
  const app = useTestApp({ hashEngine: engine })

  test('costs every refusal its work, or costs it no more, within a minute', async () => {
    const { id } = await app.newUser()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const server = await buildTestApp(app.database, { hashEngine: engine })
    onTestFinished(() => server.server.close())
    await server.server.ready()
    const workOfRefusal = () => workOf(server, 'nobody@example.com', WRONG)
    const passMinute = async (): Promise<void> => {
      const readings = countReadings(server)
      await vi.advanceTimersByTimeAsync(60_000)
      await waitUntil('the kinds are read', () => countReadings(server) > readings)
    }

    await writeHash(app.database, id, await bcryptHash(PASSWORD, 5))
    expect(await workOfRefusal()).toStrictEqual(['bcrypt 04'])
    await passMinute()
    expect(await workOfRefusal()).toStrictEqual(['bcrypt 04', 'bcrypt 05'])
    await writeHash(app.database, id, await bcryptHash(PASSWORD, 4))
    await passMinute()
    expect(await workOfRefusal()).toStrictEqual(['bcrypt 04'])
  })

  const countReadings = ({ logLines }: TestApp): number =>
    logLines.filter((line) => line.includes('a refused log-in costs as much as')).length
})

describe.for(['bcrypt', 'argon2id'])('where hashes of other kinds stand beside %s', (scheme) => {
  const { engine, workOf, during } = createNotingEngine()
  const environment = { PASSWORD_HASH: scheme, BCRYPT_COST: '6' }
  const app = useTestApp({ environment, hashEngine: engine })

  test('a refused login costs the work of each kind, whatever the account, and a right one its own', async () => {
    const argon2id = await argon2Hash(PASSWORD, { memoryCost: 1_024, timeCost: 1, parallelism: 1 })
    const hashes = [
      await bcryptHash(PASSWORD, 4),
      await bcryptHash(PASSWORD, 6),
      await bcryptHash(PASSWORD, 7),
      argon2id,
      // From the documentation of passlib, but for its cost.
      '$bcrypt-sha256$2a,5$LrmaIX5x4TRtAwEfwJZa1.$2ehnw6LvuIUTM0iz4iz9hTxv21B6KFO',
      '!',
    ]
    const emails = ['nobody@example.com']
    for (const [index, hash] of hashes.entries()) {
      const { id, email } = await app.newUser()
      emails.push(email)
      await writeHash(app.database, id, hash)
      if (index % 2 === 0) await disable(app.database, id)
    }
    const expired = await app.newUser()
    const command = { action: 'set-password', who: expired.id, password: null } as const
    const { generatedPassword } = await app.runUserCommand(command)
    const { email, id } = await app.newUser()
    await writeHash(app.database, id, argon2id)

    const restarted = await buildTestApp(app.database, { environment, hashEngine: engine })
    onTestFinished(() => restarted.server.close())
    const ofEach = [
      'argon2id m=1024,t=1,p=1',
      ...(scheme === 'argon2id' ? ['argon2id m=19456,t=2,p=1'] : []),
      'bcrypt 04',
      'bcrypt 05',
      'bcrypt 06',
      'bcrypt 07',
    ]
    for (const each of emails) expect(await workOf(restarted, each, WRONG), each).toStrictEqual(ofEach)
    restarted.passSeconds(86_400)
    expect(await workOf(restarted, expired.email, generatedPassword!)).toStrictEqual(ofEach)
    expect(restarted.logLines.join('')).toContain('bcrypt cost=7')
    const login = { email, password: PASSWORD }
    const work = await during(() => restarted.post('/api/auth/login', login))
    expect(work).toStrictEqual([
      'argon2id m=1024,t=1,p=1',
      scheme === 'bcrypt' ? 'new bcrypt 6' : 'new argon2id',
    ])
  })
})
