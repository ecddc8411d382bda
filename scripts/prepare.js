// Runs on `npm ci`: compiles the sources and makes the empty database that the embedded PostgreSQL starts from.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
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

/** Modules that are gone from the sources must be gone from the build. */
function clearBuild() {
  if (!existsSync(`${root}dist`)) return
  for (const name of readdirSync(`${root}dist`)) {
    if (!name.startsWith('embedded-template')) rmSync(`${root}dist/${name}`, { recursive: true })
  }
}

async function makeTemplate() {
  const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  const version = manifest.dependencies['@electric-sql/pglite']
  const madeBy = `${template}.pglite`
  const isCurrent = existsSync(madeBy) && readFileSync(madeBy, 'utf8') === version
  if (existsSync(template) && isCurrent) return
  const { PGlite } = await import('@electric-sql/pglite')
  for (const folder of [template, `${template}.unfinished`]) rmSync(folder, { recursive: true, force: true })
  const database = await PGlite.create(`${template}.unfinished`)
  await database.close()
  renameSync(`${template}.unfinished`, template)
  writeFileSync(madeBy, version)
}

const compiler = findCompiler()
if (compiler && existsSync(`${root}src`)) {
  clearBuild()
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
} else if (!existsSync(`${root}dist/main.js`)) {
  console.error(
    'Keyward is not built: the compiler is a development dependency. Run `npm ci --include=dev` once\n' +
      '(then `npm prune --omit=dev` if you like), or copy a built dist/ here.',
  )
}
if (existsSync(`${root}dist`)) await makeTemplate()
