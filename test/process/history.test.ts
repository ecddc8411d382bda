import { expect, onTestFinished, test } from 'vitest'
import { findViolations, type Step } from '../support/history.js'
import { startKeyward } from '../support/keyward-process.js'
import { type Node, runRandomClients } from '../support/random-clients.js'
import { createServerDatabase } from '../support/test-database.js'

const SECRET = 'J8vXk2pQz7LmN4rTs9WbYc3DfGh6KjEa'

async function newDatabase(): Promise<string> {
  const { url, drop } = await createServerDatabase()
  onTestFinished(drop)
  return url
}

async function startNode(name: string, databaseUrl: string, env: Record<string, string> = {}): Promise<Node> {
  const { url } = await startKeyward({
    env: {
      NODE_ENV: 'test',
      BCRYPT_COST: '4',
      REFRESH_GRACE: '0',
      LOG_LEVEL: 'info',
      BETTER_AUTH_SECRET: SECRET,
      DATABASE_URL: databaseUrl,
      ...env,
    },
  })
  return { name, url }
}

test('two nodes never accept, refresh or open what has ended, over thousands of random concurrent steps', async () => {
  const databaseUrl = await newDatabase()
  const nodes = [await startNode('a', databaseUrl), await startNode('b', databaseUrl)]
  const seed = Date.now() % 1_000_000
  const history = await runRandomClients({ nodes, databaseUrl, steps: 4_000, seed })
  expect(findViolations(history), `seed ${seed}`).toEqual([])
  // The run must have met what it is about.
  for (const kind of ['opened', 'accepted', 'refreshed', 'ended', 'password-changed'] as const) {
    expect(history.filter((step) => step.kind === kind).length, `${kind}, seed ${seed}`).toBeGreaterThan(10)
  }
}, 120_000)

test('the checker notices a node that is deaf to the feed', async () => {
  const databaseUrl = await newDatabase()
  const deaf = await startNode('deaf', databaseUrl, {
    DATABASE_DIRECT_URL: 'postgresql://nobody@127.0.0.1:1/none',
    REVOCATION_POLL_INTERVAL: '60000',
    REVOCATION_MAX_STALENESS: '3600',
  })
  const hearing = await startNode('a', databaseUrl)
  // A node hears of what it ends itself, so the deaf one must not end any.
  const nodes = [hearing, deaf]
  const history = await runRandomClients({
    nodes,
    endingNodes: [hearing],
    databaseUrl,
    steps: 2_000,
    seed: 1,
  })
  expect(findViolations(history).join('\n')).toContain('was accepted after its end')
}, 120_000)

const opened: Step = { kind: 'opened', session: 's', password: 'p', from: 0, to: 1 }

test.each<[string, Step[]]>([
  [
    'was accepted after its end',
    [
      { kind: 'ended', sessions: ['s'], node: 'a', by: 'logout', from: 2, to: 3 },
      { kind: 'accepted', session: 's', node: 'a', from: 4, to: 5 },
    ],
  ],
  [
    'was accepted after its end',
    [
      { kind: 'ended', sessions: ['s'], node: 'a', by: 'logout', from: 2, to: 3 },
      { kind: 'accepted', session: 's', node: 'b', from: 1_004, to: 1_005 },
    ],
  ],
  [
    'was refreshed after its end',
    [
      { kind: 'ended', sessions: ['s'], node: null, by: 'disabling', from: 2, to: 3 },
      { kind: 'refreshed', session: 's', presented: 'x', child: 'y', from: 4, to: 5 },
    ],
  ],
  [
    'forked',
    [
      { kind: 'refreshed', session: 's', presented: 'x', child: 'y', from: 2, to: 5 },
      { kind: 'refreshed', session: 's', presented: 'x', child: 'z', from: 2, to: 5 },
    ],
  ],
  [
    'outlived the password',
    [
      { kind: 'password-changed', password: 'p', node: 'a', kept: 'other', from: 0, to: 3 },
      { kind: 'accepted', session: 's', node: 'a', from: 4, to: 5 },
    ],
  ],
  [
    'was opened with a password that had been changed',
    [
      { kind: 'password-changed', password: 'p', node: 'a', kept: 'other', from: 2, to: 3 },
      { kind: 'opened', session: 't', password: 'p', from: 4, to: 5 },
    ],
  ],
])('the checker finds what %s', (words, steps) => {
  expect(findViolations([opened, ...steps]).join()).toContain(words)
})

test('the checker allows what happens while news are on their way', () => {
  expect(
    findViolations([
      opened,
      { kind: 'ended', sessions: ['s'], node: 'a', by: 'logout', from: 2, to: 10 },
      { kind: 'accepted', session: 's', node: 'a', from: 9, to: 11 },
      { kind: 'accepted', session: 's', node: 'b', from: 900, to: 901 },
    ]),
  ).toEqual([])
})
