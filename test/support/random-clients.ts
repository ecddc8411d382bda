import pg from 'pg'
import type { Step } from './history.js'

export interface Node {
  readonly name: string
  readonly url: string
}

interface RandomClientsOptions {
  readonly nodes: readonly Node[]
  /** On which of them sessions are ended; all by default. */
  readonly endingNodes?: readonly Node[]
  readonly databaseUrl: string
  readonly steps: number
  readonly seed: number
}

interface Account {
  readonly email: string
  /** The password that was acknowledged last, or tried last: nobody else changes it. */
  password: string
  isBusy: boolean
}

interface LiveSession {
  readonly id: string
  readonly account: Account
  access: string
  refresh: string
  readonly spent: string[]
}

const ACCOUNTS = 6
const WORKERS = 12
// Ended sessions stay in the game for some seconds, longer than news of their end may take.
const MOST_SESSIONS = 240
const FORGOTTEN_AT_ONCE = 60
const NEWEST = 12

/** Concurrent clients that log in, refresh, log out and change passwords at random, and write down what they see. */
export async function runRandomClients(options: RandomClientsOptions): Promise<Step[]> {
  const { nodes, steps, endingNodes = nodes } = options
  const random = seededRandom(options.seed)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
  const history: Step[] = []
  const sessions: LiveSession[] = []
  const database = new pg.Pool({ connectionString: options.databaseUrl, max: 2 })
  // Most are soon ended by somebody, so half of the steps take one of the newest: those have more to lose.
  const pickSession = (): LiveSession => pick(random() < 0.5 ? sessions.slice(-NEWEST) : sessions)
  let passwords = 0
  const newPassword = (): string => `C0rrect-horse!${passwords++}`

  async function call(node: Node, method: string, path: string, body?: unknown, token?: string) {
    const from = performance.now()
    const reply = await fetch(`${node.url}/api/auth/${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const payload = (await reply.json()) as { access_token: string; refresh_token: string }
    return { from, to: performance.now(), status: reply.status, payload }
  }

  const sidOf = (accessToken: string): string =>
    (JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString()) as { sid: string }).sid

  function noteOpening(
    account: Account,
    password: string,
    { from, to, payload }: Awaited<ReturnType<typeof call>>,
  ) {
    const { access_token: access, refresh_token: refresh } = payload
    const id = sidOf(access)
    sessions.push({ id, account, access, refresh, spent: [] })
    history.push({ kind: 'opened', session: id, password, from, to })
  }

  const openSessionsOf = (account: Account): LiveSession[] =>
    sessions.filter((each) => each.account === account)

  const actions: Record<string, (node: Node) => Promise<void>> = {
    async logIn(node) {
      const account = pick(accounts)
      const { email, password } = account
      const reply = await call(node, 'POST', 'login', { email, password })
      if (reply.status === 200) noteOpening(account, password, reply)
    },
    async probe(node) {
      const session = pickSession()
      const { from, to, status } = await call(node, 'GET', 'profile', undefined, session.access)
      if (status === 200) history.push({ kind: 'accepted', session: session.id, node: node.name, from, to })
    },
    async refresh(node) {
      const session = pickSession()
      const presented = session.refresh
      const { from, to, status, payload } = await call(node, 'POST', 'refresh', { refresh_token: presented })
      if (status !== 200) return
      history.push({
        kind: 'refreshed',
        session: session.id,
        presented,
        child: payload.refresh_token,
        from,
        to,
      })
      session.spent.push(presented)
      session.access = payload.access_token
      session.refresh = payload.refresh_token
    },
    async replay(node) {
      const session = pickSession()
      const presented = session.spent.at(0)
      if (presented === undefined) return
      const { from, to, status } = await call(node, 'POST', 'refresh', { refresh_token: presented })
      if (status === 200) {
        history.push({ kind: 'refreshed', session: session.id, presented, child: 'another', from, to })
      } else {
        history.push({ kind: 'ended', sessions: [session.id], node: node.name, by: 'reuse', from, to })
      }
    },
    async logOut(node) {
      const session = pickSession()
      const { from, to, status } = await call(node, 'POST', 'logout', undefined, session.access)
      if (status === 200)
        history.push({ kind: 'ended', sessions: [session.id], node: node.name, by: 'logout', from, to })
    },
    async logOutAll(node) {
      const session = pickSession()
      const ending = openSessionsOf(session.account).map(({ id }) => id)
      const { from, to, status } = await call(node, 'POST', 'logout-all', {}, session.access)
      if (status === 200)
        history.push({ kind: 'ended', sessions: ending, node: node.name, by: 'logout-all', from, to })
    },
    async changePassword(node) {
      const session = pickSession()
      const { account, id: kept } = session
      if (account.isBusy) return
      account.isBusy = true
      const password = account.password
      const next = newPassword()
      const body = { current_password: password, new_password: next }
      const { from, to, status } = await call(node, 'POST', 'password', body, session.access)
      if (status === 200) {
        account.password = next
        history.push({ kind: 'password-changed', password, node: node.name, kept, from, to })
      }
      account.isBusy = false
    },
    async disable() {
      const account = pick(accounts)
      const ending = openSessionsOf(account).map(({ id }) => id)
      const from = performance.now()
      await database.query('update users set is_active = false where email = $1', [account.email])
      history.push({
        kind: 'ended',
        sessions: ending,
        node: null,
        by: 'disabling',
        from,
        to: performance.now(),
      })
      await database.query('update users set is_active = true where email = $1', [account.email])
    },
  }

  const accounts: Account[] = Array.from({ length: ACCOUNTS }, (_, i) => ({
    email: `account-${options.seed}-${i}@example.com`,
    password: newPassword(),
    isBusy: false,
  }))
  for (const account of accounts) {
    const { email, password } = account
    const reply = await call(pick(nodes), 'POST', 'register', { email, password, name: 'Somebody' })
    if (reply.status !== 201) throw new Error(`could not register: ${reply.status}`)
    noteOpening(account, password, reply)
  }

  const weighted = [
    ...Array<string>(5).fill('logIn'),
    ...Array<string>(12).fill('probe'),
    ...Array<string>(5).fill('refresh'),
    'replay',
    'logOut',
    'logOut',
    'logOutAll',
    'changePassword',
    'disable',
  ]
  let left = steps
  const work = async (): Promise<void> => {
    while (left-- > 0) {
      const action = pick(weighted)
      await actions[action]?.(pick(ENDING.has(action) ? endingNodes : nodes))
      if (sessions.length > MOST_SESSIONS) sessions.splice(0, FORGOTTEN_AT_ONCE)
    }
  }
  await Promise.all(Array.from({ length: WORKERS }, work))
  await database.end()
  return history
}

const ENDING = new Set(['replay', 'logOut', 'logOutAll', 'changePassword'])

/** mulberry32: the same run for the same seed, as far as the network allows. */
function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
