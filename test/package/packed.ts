import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from '../support/keyward-process.js'

const run = promisify(execFile)

/** What `npm pack` makes, in this folder. The build is there already: the tests' global set-up has made it. */
export async function packInto(folder: string): Promise<string> {
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
  const { stdout } = await run('npm', pack, { cwd: ROOT, maxBuffer: 16 * 1024 * 1024 })
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
  return join(folder, filename)
}

interface LockedPackage {
  readonly dev?: boolean
  readonly link?: boolean
}

/** Lays out `node_modules` as an installation of the package leaves it: the package, and its run-time dependencies. */
export async function installInto(folder: string, tarball: string): Promise<void> {
  const installed = join(folder, 'node_modules/keyward')
  mkdirSync(installed, { recursive: true })
  await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1'])
  for (const dependency of runtimeDependencies()) link(folder, dependency)
}

/** Makes a package of this project's tools one of the folder's as well. */
export function link(folder: string, dependency: string): void {
  const place = join(folder, 'node_modules', dependency)
  mkdirSync(dirname(place), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules', dependency), place)
}

function runtimeDependencies(): string[] {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>
  }
  const topLevel = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/
  return Object.entries(lock.packages).flatMap(([path, { dev }]) => {
    const name = topLevel.exec(path)?.[1]
    return name === undefined || dev ? [] : [name]
  })
}

/** The compiler's complaints about the project in this folder; empty when it has none. */
export async function typeCheck(folder: string, ...options: string[]): Promise<string> {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc')
  return run(process.execPath, [compiler, '--pretty', 'false', ...options], { cwd: folder }).then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  )
}
