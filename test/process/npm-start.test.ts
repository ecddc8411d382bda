import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { ROOT } from '../support/keyward-process.js'
import { makeTempFolder } from '../support/temp-folder.js'
import { waitUntil } from '../support/wait-until.js'

test('SIGTERM to `npm start` reaches the server, which stops in order', async () => {
  const folder = makeTempFolder()
  const npm = spawn('npm', ['start'], {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? '', HOME: folder, PORT: '0', DATA_DIR: `${folder}/data` },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that nothing of it is left behind whatever happens.
    detached: true,
  })
  const closed = once(npm, 'close')
  onTestFinished(() => {
    try {
      process.kill(-(npm.pid ?? 0), 'SIGKILL')
    } catch {
      // Gone already, as it should be.
    }
  })
  let output = ''
  npm.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  await waitUntil('it listens', () => output.includes('"msg":"listening"'))
  npm.kill('SIGTERM')
  await closed
  expect(output).toContain('"msg":"stopped"')
})
