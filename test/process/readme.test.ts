import { execFile, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { registerAda } from '../support/call.js'
import { freePort } from '../support/postgres-server.js'
import { launchKeyward, ROOT, startKeyward } from '../support/keyward-process.js'
import { makeTempFolder } from '../support/temp-folder.js'
import { waitUntil } from '../support/wait-until.js'

const run = promisify(execFile)

const shellBlocks = (markdown: string): string[] =>
  [...markdown.matchAll(/```sh\n([^]*?)```/g)].map(([, block]) => block!)

/** The shell examples of the README's section on the API, in their order, as one script. */
function exampleScript(): string {
  const readme = readFileSync(`${ROOT}/README.md`, 'utf8')
  const section = readme.slice(
    readme.indexOf('## The API by example'),
    readme.indexOf('## Protect your own API'),
  )
  return shellBlocks(section)
    .map((block) => `${block}echo\n`)
    .join('')
}

test('the README’s examples of the API work in the order in which they stand', async () => {
  const { url } = await startKeyward()
  const script = exampleScript().replaceAll('http://127.0.0.1:8000', url)
  const { stdout } = await run('bash', ['-eu', '-o', 'pipefail', '-c', script])
  for (const answer of [
    '"email":"ada@example.com"',
    '"name":"Augusta Ada King"',
    '"refresh_token":"kwr_',
    '"current":true',
    '{"message":"Session ended"}',
    '{"message":"Password changed"}',
    '{"message":"Logged out everywhere"}',
    '{"message":"Logged out"}',
  ]) {
    expect(stdout).toContain(answer)
  }
  expect(stdout).not.toContain('about:blank')
})

const SECRET = 'q0Zk3vTnB8xWm5RjLs7YpUc2HdGf9EaK'
/** What calls a route handler where Next.js does not. */
const CALL_GET = `
import { serve } from '@hono/node-server'
serve({ fetch: GET, port: 8001 })
`

test.each(['fastify', 'express', 'hono', 'next'])(
  'the README’s example for %s protects an API',
  async (adapter) => {
    const readme = readFileSync(`${ROOT}/README.md`, 'utf8')
    const blocks = [...readme.matchAll(/```js\n([^]*?)```/g)].map(([, block]) => block ?? '')
    const example = blocks.find((block) => block.includes(`'keyward/guard/${adapter}'`)) ?? ''
    const port = await freePort()
    const folder = makeTempFolder()
    mkdirSync(join(folder, 'node_modules/@hono'), { recursive: true })
    symlinkSync(ROOT, join(folder, 'node_modules/keyward'))
    for (const name of ['fastify', 'express', 'hono', '@hono/node-server'])
      symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name))
    const program = adapter === 'next' ? example + CALL_GET : example
    writeFileSync(join(folder, 'api.mjs'), program.replaceAll('8001', String(port)))

    const keyward = await startKeyward({ env: { BETTER_AUTH_SECRET: SECRET } })
    const child = spawn(process.execPath, ['api.mjs'], {
      cwd: folder,
      env: { PATH: process.env.PATH, BETTER_AUTH_SECRET: SECRET },
      stdio: 'inherit',
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    const url = `http://localhost:${port}/whoami`
    const refused = await waitUntil('the example answers', () => fetch(url).catch(() => null))
    expect([refused.status, await refused.json()]).toMatchObject([401, { code: 'not_authenticated' }])
    const token = await registerAda(keyward)
    const { sub } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
    const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
    expect([answer.status, await answer.json()]).toEqual([200, { id: sub }])
  },
)

test('the example of a tasks API does what its page shows, and hears of the log-out', async () => {
  const feed = { REVOCATION_FEED_TOKEN: 'q2Zt7XwB9mKc4VnR8sLdYh3PfGj6UaEo' }
  const keyward = await startKeyward({ env: feed })
  const port = String(await freePort())
  const tasks = `http://127.0.0.1:${port}`
  launchKeyward({
    // Beside the server, whose generated secret it reads.
    folder: keyward.folder,
    command: [join(ROOT, 'examples/tasks-api/server.mjs')],
    env: { ...feed, PORT: port, KEYWARD_URL: keyward.url },
  })
  await waitUntil('the example answers', () => fetch(`${tasks}/health`).catch(() => null))
  const [, use = ''] = shellBlocks(readFileSync(`${ROOT}/examples/tasks-api/README.md`, 'utf8'))
  const script = use
    .replaceAll('http://127.0.0.1:8000', keyward.url)
    .replaceAll('http://127.0.0.1:8001', tasks)
  const { stdout } = await run('bash', ['-eu', '-o', 'pipefail', '-c', `${script}\necho; echo "$token"`])
  expect(stdout.match(/"title":"Write tests"/g)).toHaveLength(2)
  expect(stdout).toContain('"code":"not_authenticated"')
  expect(stdout).toContain('{"message":"Logged out"}')
  const authorization = `Bearer ${stdout.trimEnd().split('\n').at(-1)}`
  await expect
    .poll(async () => (await fetch(`${tasks}/tasks`, { headers: { authorization } })).json())
    .toMatchObject({ code: 'invalid_token' })
})
