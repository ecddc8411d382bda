import { loadEnvironment } from './config.js'
import { escapeControlsInLines } from './core/text.js'
import { start } from './start.js'

try {
  await start(loadEnvironment())
} catch (error) {
  process.stderr.write(`keyward: ${escapeControlsInLines((error as Error).message)}\n`)
  process.exit(1)
}
