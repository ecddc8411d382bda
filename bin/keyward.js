#!/usr/bin/env node
import { existsSync } from 'node:fs'

const built = new URL('../dist/cli/keyward.js', import.meta.url)
if (existsSync(built)) {
  await import(built.href)
} else {
  console.error('Keyward is not built. Run `npm ci --include=dev` in its folder, then try again.')
  process.exitCode = 1
}
