import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The first Python here that can import all of these modules ("fastapi, jwt"); null when there is none. */
export async function findPython(modules: string): Promise<string | null> {
  for (const candidate of ['python3', '/usr/bin/python3']) {
    const works = await run(candidate, ['-c', `import ${modules}`]).then(
      () => true,
      () => false,
    )
    if (works) return candidate
  }
  return null
}
