import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { ROOT } from '../support/keyward-process.js'
import { makeTempFolder } from '../support/temp-folder.js'

const run = promisify(execFile)

/** File of `src` → what it must not import. `type` stands before imports of types alone. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  'errors.ts': ['./log.js', 'node:fs'],
  'core/rule.ts': ['../db/database.js', '../log.js', 'fastify', 'type ../guard/guard.js'],
  'passwords/rule.ts': ['type ../accounts/account.js', '../db/database.js', 'pg'],
  'attempts/rule.ts': ['../passwords/password-hasher.js', 'type ../db/database.js', '../compose-keys.js'],
  'accounts/rule.ts': [
    'type ../passwords/password-hasher.js',
    '../attempts/throttled-passwords.js',
    'type ../sessions/session.js',
  ],
  'accounts/sql.ts': ['../passwords/hash-format.js', 'pg'],
  'sessions/rule.ts': ['../accounts/profile.js', '../accounts/sql.js', 'type ../passwords/password-queue.js'],
  'sessions/sql.ts': ['../accounts/register.js', 'fastify'],
  'keys/rule.ts': ['type ../db/database.js', 'type ../attempts/attempt.js'],
  'revocation/rule.ts': ['type ../db/database.js', 'type ../sessions/session.js'],
  'operators/rule.ts': ['../passwords/password-hasher.js', '../sessions/sql.js', '../db/socket-path.js'],
  'db/rule.ts': ['../config.js', 'type ../accounts/account.js', 'fastify'],
  'guard/rule.ts': ['type fastify', 'type ../http/api.js', 'jose'],
  'guard/fastify.ts': ['fastify', 'type hono'],
  'client/rule.ts': ['node:crypto', '../core/text.js', 'type ../http/api.js'],
  'http/rule.ts': ['../accounts/register.js', 'type ../attempts/attempt.js', '../compose.js', 'pino'],
}

/** The same for what it may import. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'core/rule.ts': ['./clock.js', '../errors.js', 'node:crypto'],
  'attempts/rule.ts': ['../core/clock.js', 'type ../passwords/password-hasher.js', 'node:timers/promises'],
  'accounts/sql.ts': ['../db/database.js'],
  'sessions/rule.ts': ['../passwords/password-policy.js', 'type ../accounts/account.js'],
  'guard/fastify.ts': ['../core/bearer.js', 'type fastify'],
  'client/rule.ts': ['./lock.js', '../errors.js'],
  'http/rule.ts': ['fastify', '../guard/guard.js', 'type ../sessions/session.js'],
}

const asLines = (table: Readonly<Record<string, readonly string[]>>): string[] =>
  Object.entries(table).flatMap(([file, imports]) => imports.map((each) => `${file} imports ${each}`))

const importsOf = (file: string): string[] => [...(REFUSED[file] ?? []), ...(ALLOWED[file] ?? [])]

/** What the project's rules refuse in a folder that holds nothing but these imports. */
async function lint(): Promise<string[]> {
  const folder = makeTempFolder()
  copyFileSync(join(ROOT, '.oxlintrc.json'), join(folder, '.oxlintrc.json'))
  for (const file of Object.keys({ ...REFUSED, ...ALLOWED })) {
    const path = join(folder, 'src', file)
    mkdirSync(dirname(path), { recursive: true })
    const lines = importsOf(file).map((each, i) =>
      each.startsWith('type ')
        ? `import type { t${i} } from '${each.slice(5)}'`
        : `import { t${i} } from '${each}'`,
    )
    writeFileSync(path, `${lines.join('\n')}\n`)
  }
  const oxlint = join(ROOT, 'node_modules/.bin/oxlint')
  // It ends with 1 because it has found something.
  const { stdout } = await run(oxlint, ['--format', 'json'], { cwd: folder }).catch(
    (failure: { stdout: string }) => failure,
  )
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: { code: string; filename: string; labels: { span: { line: number } }[] }[]
  }
  return diagnostics
    .filter(({ code }) => code === 'eslint(no-restricted-imports)')
    .map(({ filename, labels }) => {
      const file = filename.replace(/^src\//, '')
      return `${file} imports ${importsOf(file)[labels[0]!.span.line - 1]}`
    })
}

test('the linter refuses imports that CONTRIBUTING.md does not allow, and no others', async () => {
  expect(new Set(await lint())).toEqual(new Set(asLines(REFUSED)))
})
