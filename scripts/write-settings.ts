import { readFileSync, writeFileSync } from 'node:fs'
import { envExample, withSettingsTable } from './settings-docs.js'

const readme = new URL('../README.md', import.meta.url)
writeFileSync(readme, withSettingsTable(readFileSync(readme, 'utf8')))
writeFileSync(new URL('../.env.example', import.meta.url), envExample())
