// Runs on `npm ci`: compiles the sources and makes the empty database that the embedded PostgreSQL starts from.
import { execFileSync } from 'node:child_process'
import { existsSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const template = `${root}dist/embedded-template`
const require = createRequire(import.meta.url)

function findCompiler() {
  try {
    return require.resolve('typescript/bin/tsc')
  } catch {
    return null
  }
}

async function makeTemplate() {
  if (existsSync(template)) return
  const { PGlite } = await import('@electric-sql/pglite')
  rmSync(`${template}.unfinished`, { recursive: true, force: true })
  const database = await PGlite.create(`${template}.unfinished`)
  await database.close()
  renameSync(`${template}.unfinished`, template)
}

const compiler = findCompiler()
if (compiler && existsSync(`${root}src`)) {
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
} else if (!existsSync(`${root}dist/main.js`)) {
  console.error(
    'Keyward is not built: the compiler is a development dependency. Run `npm ci --include=dev` once\n' +
      '(then `npm prune --omit=dev` if you like), or copy a built dist/ here.',
  )
}
if (existsSync(`${root}dist`)) await makeTemplate()
