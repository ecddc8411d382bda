import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { ROOT, startKeyward } from '../support/keyward-process.js'

const run = promisify(execFile)

/** The shell examples of the README's section on the API, in their order, as one script. */
function exampleScript(): string {
  const readme = readFileSync(`${ROOT}/README.md`, 'utf8')
  const section = readme.slice(
    readme.indexOf('## The API by example'),
    readme.indexOf('## Protect your own API'),
  )
  return [...section.matchAll(/```sh\n([^]*?)```/g)].map(([, block]) => `${block}echo\n`).join('')
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
