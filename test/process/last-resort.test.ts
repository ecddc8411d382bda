import { expect, test } from 'vitest'
import { startKeyward } from '../support/keyward-process.js'

/** Runs in the process before Keyward, and does this on SIGUSR2. */
const onSignal = (statement: string): string =>
  `--import=data:text/javascript,${encodeURIComponent(`process.on('SIGUSR2', () => { ${statement} })`)}`

test.each([
  ['thrown', "throw new Error('unforeseen')"],
  ['in a promise that nobody waits for', "Promise.reject(new Error('unforeseen'))"],
])('an error that nobody has foreseen is logged, and the process ends with it: %s', async (_, statement) => {
  const keyward = await startKeyward({ env: { NODE_OPTIONS: onSignal(statement) } })
  keyward.signal('SIGUSR2')
  expect(await keyward.exited()).toBe(1)
  const lines = keyward.output().split('\n')
  const last = lines.find((line) => line.includes('unexpected error')) ?? '{}'
  expect(JSON.parse(last)).toMatchObject({ level: 'fatal', err: { message: 'unforeseen' } })
})
