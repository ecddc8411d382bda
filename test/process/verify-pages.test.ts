import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { registerAda } from '../support/call.js'
import { findPython } from '../support/find-python.js'
import { freePort } from '../support/postgres-server.js'
import { ROOT, type RunningKeyward, startKeyward } from '../support/keyward-process.js'
import { skipBecause } from '../support/skip-because.js'
import { makeTempFolder } from '../support/temp-folder.js'
import { waitUntil } from '../support/wait-until.js'
import { newPrivateKey } from '../support/new-key.js'

const run = promisify(execFile)
const SECRET = 'q0Zk3vTnB8xWm5RjLs7YpUc2HdGf9EaK'
const ALGORITHMS = ['HS256', 'EdDSA', 'ES256', 'RS256']

/** The programs that a page shows, by the file names that stand before them. */
function programsOf(page: string): Map<string, string> {
  const text = readFileSync(`${ROOT}/docs/verify/${page}`, 'utf8')
  return new Map(
    [...text.matchAll(/\*\*`(\S+)`\*\*\s+```\w+\n([^]*?)```/g)].map(([, file, code]) => [file!, code!]),
  )
}

const startWith = (algorithm: string): Promise<RunningKeyward> =>
  startKeyward({
    env: { JWT_ALGORITHM: algorithm, ...(algorithm === 'HS256' && { BETTER_AUTH_SECRET: SECRET }) },
  })

/** What the programs on the pages are told of a Keyward. */
const settingsFor = (keyward: RunningKeyward, algorithm: string): Record<string, string> =>
  algorithm === 'HS256'
    ? { BETTER_AUTH_SECRET: SECRET }
    : { KEYWARD_URL: keyward.url, JWT_ALGORITHM: algorithm }

function forgeriesOf(token: string): Record<string, string> {
  const [header = '', payload = ''] = token.split('.')
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
  const mac = (input: string, secret: string): string =>
    `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
  const resigned = (claims: object): string =>
    mac(`${header}.${encode({ ...read(payload), ...claims })}`, SECRET)
  const stranger = newPrivateKey('EdDSA')
  const strangers = `${encode({ ...read(header), alg: 'EdDSA', kid: stranger.kid })}.${payload}`
  return {
    nonsense: 'a.b.c',
    'no signature': `${encode({ alg: 'none', typ: 'JWT' })}.${payload}.`,
    'another payload': `${header}.${encode({ ...read(payload), sub: 'admin' })}.${token.split('.')[2]}`,
    'an empty secret': mac(`${encode({ alg: 'HS256', typ: 'JWT' })}.${payload}`, ''),
    'a stranger’s key': `${strangers}.${stranger.sign(strangers)}`,
    // With a key pair these are wrong for a second reason.
    expired: resigned({ exp: 1 }),
    'another issuer': resigned({ iss: 'other' }),
    'another audience': resigned({ aud: 'other' }),
    'no end': resigned({ exp: undefined }),
  }
}

async function expectToJudgeRightly(url: string, keyward: RunningKeyward): Promise<void> {
  const ask = (authorization?: string): Promise<Response> =>
    fetch(`${url}/whoami`, { ...(authorization !== undefined && { headers: { authorization } }) })
  const token = await registerAda(keyward)
  const { sub } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
  const known = await ask(`Bearer ${token}`)
  expect([known.status, await known.text()]).toEqual([200, expect.stringContaining(sub)])
  const stranger = await ask()
  expect([stranger.status, stranger.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
  for (const [name, forgery] of Object.entries(forgeriesOf(token))) {
    const refused = await ask(`Bearer ${forgery}`)
    expect([refused.status, refused.headers.get('www-authenticate')], name).toEqual([
      401,
      'Bearer error="invalid_token"',
    ])
  }
}

/** Runs a program of a page until the test ends, and resolves once it answers. */
async function serve(
  command: readonly string[],
  { cwd, env, port }: { cwd: string; env: Record<string, string>; port: number },
): Promise<string> {
  const [program = '', ...args] = command
  const child: ChildProcess = spawn(program, args, {
    cwd,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  let output = ''
  child.stderr?.on('data', (chunk) => {
    output += String(chunk)
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const url = `http://127.0.0.1:${port}`
  await waitUntil('the program answers', () => {
    if (child.exitCode !== null) throw new Error(`The program ended:\n${output}`)
    return fetch(url).then(
      () => true,
      () => false,
    )
  })
  return url
}

describe('docs/verify/python.md', () => {
  const MODULES = 'jwt, cryptography, fastapi, uvicorn'
  let python: string | null = null
  beforeAll(async () => {
    python = await findPython(MODULES)
  })
  beforeEach((context) => {
    if (python === null) skipBecause(context, `no python3 here can import ${MODULES}`)
  })

  async function serveApi(algorithm: string, env: Record<string, string>): Promise<string> {
    const programs = programsOf('python.md')
    expect([...programs.keys()]).toEqual(['shared_secret.py', 'public_keys.py', 'api.py'])
    const folder = makeTempFolder()
    for (const [file, code] of programs) {
      const chosen =
        algorithm === 'HS256' ? code.replace(/from public_keys (.*)  #.*/, 'from shared_secret $1') : code
      writeFileSync(join(folder, file), chosen)
    }
    const port = await freePort()
    const command = [python ?? '', '-m', 'uvicorn', 'api:app', '--port', String(port), '--log-level', 'error']
    return serve(command, { cwd: folder, env, port })
  }

  test.each(ALGORITHMS)('its programs read tokens of %s, and refuse forged ones', async (algorithm) => {
    const keyward = await startWith(algorithm)
    const url = await serveApi(algorithm, settingsFor(keyward, algorithm))
    await expectToJudgeRightly(url, keyward)
  })

  test('a token is not called wrong because Keyward is away', async (context) => {
    const tells = await run(python ?? '', [
      '-c',
      'from jwt.exceptions import PyJWKClientConnectionError',
    ]).then(
      () => true,
      () => false,
    )
    if (!tells) skipBecause(context, 'this PyJWT is too old to tell')
    const keyward = await startWith('EdDSA')
    const token = await registerAda(keyward)
    await keyward.stop()
    const url = await serveApi('EdDSA', settingsFor(keyward, 'EdDSA'))
    const { status } = await fetch(`${url}/whoami`, { headers: { authorization: `Bearer ${token}` } })
    expect(status).toBe(503)
  })
})

describe('docs/verify/go.md', () => {
  let folder = ''
  let program: string | null = null
  afterAll(() => {
    if (folder !== '') rmSync(folder, { recursive: true })
  })
  beforeAll(async () => {
    const hasGo = await run('go', ['version']).then(
      () => true,
      () => false,
    )
    if (!hasGo) return
    folder = mkdtempSync(join(tmpdir(), 'keyward-go-'))
    const programs = programsOf('go.md')
    expect([...programs.keys()]).toEqual(['keyward.go', 'main.go'])
    for (const [file, code] of programs) writeFileSync(join(folder, file), code)
    await run('go', ['mod', 'init', 'api'], { cwd: folder })
    await run('go', ['vet', '.'], { cwd: folder })
    await run('go', ['build', '-o', 'api', '.'], { cwd: folder })
    program = join(folder, 'api')
  }, 600_000)
  beforeEach((context) => {
    if (program === null) skipBecause(context, 'there is no go here')
  })

  test.each(ALGORITHMS)('its program reads tokens of %s, and refuses forged ones', async (algorithm) => {
    const keyward = await startWith(algorithm)
    const port = await freePort()
    const env = { ...settingsFor(keyward, algorithm), ADDRESS: `127.0.0.1:${port}` }
    const url = await serve([program ?? ''], { cwd: makeTempFolder(), env, port })
    await expectToJudgeRightly(url, keyward)
  })
})
