import { loadEnvironment } from './config.js'
import { start } from './start.js'

try {
  await start(loadEnvironment())
} catch (error) {
  process.stderr.write(`keyward: ${(error as Error).message}\n`)
  process.exit(1)
}
