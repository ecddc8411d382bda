import { expect, onTestFinished, test } from 'vitest'
import { onAnswered } from '../support/answered-statements.js'
import { buildTestApp, PASSWORD, type TestApp, type TestAppOptions, useTestApp } from '../support/test-app.js'
import { waitUntil } from '../support/wait-until.js'
import { environment, holdHashes, newAddress, newEmail, slowHashEngine, WRONG } from './attempts-app.js'
import { expectProblem } from './expect-problem.js'

const PLACES = 16
const RUNNING = 2

let nowMs = 0
let taken = 0
let listed = 0
const options: TestAppOptions = {
  environment: { ...environment, HASH_MAX_WAIT: '100' },
  monotonicMs: () => nowMs,
  hashEngine: slowHashEngine((milliseconds) => {
    nowMs += milliseconds
  }),
  intercept: onAnswered((text) => {
    if (text.includes('keyward_take_attempt')) taken++
    if (text.includes('select key as pair from keyward_known_places')) listed++
  }),
}
const app = useTestApp(options)

const logIn = (email: string, password: string, remoteAddress: string, server: TestApp = app) =>
  server.send({ method: 'POST', url: '/api/auth/login', payload: { email, password }, remoteAddress })

/** Strangers take all places, and no hash ends until it is released. */
async function holdAllPlaces(server: TestApp = app) {
  const { held, release } = holdHashes()
  taken = 0
  const guesses = Array.from({ length: PLACES }, () => logIn(newEmail(), WRONG, newAddress(), server))
  await waitUntil('they hold all places', () => taken === PLACES && held() === RUNNING)
  return { release, statuses: async () => (await Promise.all(guesses)).map(({ status }) => status) }
}

test('parallel log-ins of one client that wait for each other make room for other clients', async () => {
  const [{ email }, busy] = [await app.newUser(), newAddress()]
  const { held, release } = holdHashes()
  const crowd = Array.from({ length: PLACES }, () => logIn(email, PASSWORD, busy))
  await waitUntil('all have asked for an attempt', () => taken === PLACES && held() === RUNNING)
  const others = Array.from({ length: PLACES - RUNNING }, () => logIn(newEmail(), WRONG, newAddress()))
  await waitUntil('the others have, too', () => taken === PLACES + others.length)
  release()
  for (const { status } of await Promise.all(others)) expect(status).toBe(401)
  const statuses = (await Promise.all(crowd)).map(({ status }) => status)
  expect(statuses.filter((status) => status === 200)).toHaveLength(RUNNING)
  expect(statuses.filter((status) => status === 503)).toHaveLength(PLACES - RUNNING)
})

test('guesses at made-up addresses from many places leave room for each owner who has logged in before', async () => {
  const [{ email }, visitor, home] = [await app.newUser(), await app.newUser(), newAddress()]
  expect((await logIn(email, PASSWORD, home)).status).toBe(200)
  const guesser = newAddress()
  expectProblem(await logIn(email, WRONG, guesser), 'invalid_credentials')
  const { release, statuses } = await holdAllPlaces()
  const owner = logIn(email, PASSWORD, home)
  await waitUntil('the owner has a place', () => taken === PLACES + 1)
  for (const who of [email, visitor.email]) expectProblem(await logIn(who, WRONG, home), 'overloaded')
  expectProblem(await logIn(visitor.email, PASSWORD, newAddress()), 'overloaded')
  expectProblem(await logIn(email, PASSWORD, guesser), 'overloaded')
  release()
  expect((await owner).status).toBe(200)
  expect((await statuses()).filter((status) => status === 503)).toHaveLength(1)
})

test('strangers keep half of the places, so that owners who crowd each other turn nobody away late', async () => {
  const homes = Array.from({ length: PLACES / 2 + 1 }, newAddress)
  const emails: string[] = []
  for (const home of homes) {
    const { email } = await app.newUser()
    expect((await logIn(email, PASSWORD, home)).status).toBe(200)
    emails.push(email)
  }
  const { release, statuses } = await holdAllPlaces()
  const replies = homes.map((home, i) => logIn(emails[i]!, PASSWORD, home))
  expectProblem((await replies.at(-1))!, 'overloaded')
  await waitUntil('the others have their places', () => taken === PLACES + PLACES / 2)
  release()
  const answers = (await Promise.all(replies)).map(({ status }) => status)
  expect(answers.filter((status) => status === 200)).toHaveLength(PLACES / 2)
  expect((await statuses()).filter((status) => status === 503)).toHaveLength(PLACES / 2)
})

/** Another node on the same database, when it has read who logged in before. */
async function startNode(): Promise<TestApp> {
  listed = 0
  const node = await buildTestApp(app.database, options)
  onTestFinished(() => node.server.close().then(() => {}))
  await node.server.ready()
  await waitUntil('it knows of former log-ins', () => listed > 0)
  // It has seen a slow hash.
  await node.newUser()
  return node
}

async function expectPlaceFor(email: string, home: string, node: TestApp): Promise<void> {
  const { release } = await holdAllPlaces(node)
  const owner = logIn(email, PASSWORD, home, node)
  await waitUntil('the owner has a place', () => taken === PLACES + 1)
  release()
  expect((await owner).status).toBe(200)
}

test('such an owner gets in on a node that has just started, too', async () => {
  const [{ email }, home] = [await app.newUser(), newAddress()]
  expect((await logIn(email, PASSWORD, home)).status).toBe(200)
  await expectPlaceFor(email, home, await startNode())
})

test('and after a slip of the fingers on a node that has heard nothing of the log-in through another', async () => {
  const [{ email }, home, node] = [await app.newUser(), newAddress(), await startNode()]
  expect((await logIn(email, PASSWORD, home)).status).toBe(200)
  expectProblem(await logIn(email, WRONG, home, node), 'invalid_credentials')
  await expectPlaceFor(email, home, node)
})

test('and one who is signed in changes the password meanwhile, from wherever', async () => {
  const { token, password } = await app.newUser()
  const { release } = await holdAllPlaces()
  const change = app.send({
    method: 'POST',
    url: '/api/auth/password',
    headers: { authorization: `Bearer ${token}` },
    payload: { current_password: password, new_password: 'N3w-horse!staple' },
    remoteAddress: newAddress(),
  })
  await waitUntil('the owner has a place', () => taken === PLACES + 1)
  release()
  expect((await change).status).toBe(200)
})
