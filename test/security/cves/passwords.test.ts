import { describe, expect, test } from 'vitest'
import type { HashEngine } from '../../../src/passwords/hash-engine.js'
import { nativeHashEngine } from '../../support/native-hash-engine.js'
import { PASSWORD, type Reply, useTestApp } from '../../support/test-app.js'
import { disable } from '../../http/users-table.js'

// What is compared, and what a refusal costs (docs/security/cves.md).

let work: string[] = []
/** Notes which primitive was asked for, and at which cost. */
const hashEngine: HashEngine = {
  ...nativeHashEngine,
  bcryptVerify(key, modularCrypt) {
    work.push(modularCrypt.slice(0, 7))
    return nativeHashEngine.bcryptVerify(key, modularCrypt)
  },
  argon2idVerify(password, phc) {
    work.push(phc.slice(0, phc.lastIndexOf(',')))
    return nativeHashEngine.argon2idVerify(password, phc)
  },
}

const logIn = (email: string, password: string): Promise<Reply> =>
  app.post('/api/auth/login', { email, password })
const app = useTestApp({ hashEngine })

const FULL = `1!${'x'.repeat(70)}`

test.for([
  ['the 73rd byte', `${FULL}A`, `${FULL}B`],
  ['a byte more', FULL, `${FULL}x`],
  ['a byte less', `${FULL}x`, FULL],
  ['the last of 128', `${FULL}${'y'.repeat(55)}A`, `${FULL}${'y'.repeat(55)}B`],
  ['the second byte of a letter across the border', `1!${'x'.repeat(69)}é`, `1!${'x'.repeat(69)}è`],
  ['the 37th letter of two bytes', `1!${'é'.repeat(35)}A`, `1!${'é'.repeat(35)}B`],
  ['the 19th emoji', `1!${'😀'.repeat(18)}A`, `1!${'😀'.repeat(18)}B`],
] as const)(
  'tells passwords apart by %s (CVE-2025-22228, CVE-2025-68402, Okta October 2024)',
  async ([, right, similar]) => {
    const user = await app.newUser({ password: right })
    expect((await logIn(user.email, similar)).body.code).toBe('invalid_credentials')
    const change = { current_password: similar, new_password: PASSWORD }
    expect((await user.post('/api/auth/password', change)).body.code).toBe('wrong_password')
    expect((await logIn(user.email, right)).status).toBe(200)
  },
)

test('the length of an address leaves the password its weight (Okta October 2024)', async () => {
  const email = `${'a'.repeat(60)}@${'b'.repeat(60)}.${'c'.repeat(60)}.example`
  const user = await app.newUser({ email })
  for (const wrong of [`${PASSWORD}x`, PASSWORD.slice(0, -1), '', 'x']) {
    expect((await logIn(user.email, wrong)).status).toBe(401)
  }
})

describe('a refused log-in does the same work and gives the same answer (CVE-2026-25050, CVE-2026-58272)', () => {
  async function refusalOf(email: string): Promise<{ answer: unknown; work: string[] }> {
    work = []
    const { status, headers, body } = await logIn(email, 'wr0ng-Password!')
    const own = { date: '', 'x-request-id': '' }
    return { answer: [status, { ...headers, ...own }, { ...body, request_id: '' }], work: work.sort() }
  }

  test('whether or not there is an account, and whether or not it may be used', async () => {
    const [user, disabled] = [await app.newUser(), await app.newUser()]
    await disable(app.database, disabled.id)
    const known = await refusalOf(user.email)
    expect(known.work.length).toBeGreaterThan(0)
    expect(await refusalOf('nobody@example.com')).toEqual(known)
    expect(await refusalOf(disabled.email)).toEqual(known)
  })
})

test('nobody gets a new password without the old one, session or not (CVE-2026-18963)', async () => {
  const user = await app.newUser()
  const NEW_PASSWORD = 'N3w-horse!staple'
  const steps: object[] = [
    { new_password: NEW_PASSWORD },
    { password: NEW_PASSWORD },
    { current_password: null, new_password: NEW_PASSWORD },
    { current_password: '', new_password: NEW_PASSWORD },
    { current_password: NEW_PASSWORD, new_password: NEW_PASSWORD },
  ]
  for (const body of steps) expect((await user.post('/api/auth/password', body)).status).toBeGreaterThan(399)
  expect((await user.put('/api/auth/profile', { password: NEW_PASSWORD })).status).toBe(200)
  expect(
    (await app.post('/api/auth/password', { current_password: PASSWORD, new_password: NEW_PASSWORD })).status,
  ).toBe(401)
  expect((await logIn(user.email, NEW_PASSWORD)).status).toBe(401)
  expect((await logIn(user.email, PASSWORD)).status).toBe(200)
})
