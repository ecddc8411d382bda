import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { envExample, withSettingsTable } from '../../scripts/settings-docs.js'
import { AUTH_EVENTS } from '../../src/core/auth-event.js'
import { ERRORS } from '../../src/errors.js'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

/** The rows of a Markdown table whose first cell is code: `| `name` | second | third |`. */
function tableRows(markdown: string): string[][] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    )
}

test('docs/errors.md lists exactly the codes, states and texts that the server sends', () => {
  const documented = tableRows(read('docs/errors.md')).map(([code, status, detail]) => [code, status, detail])
  const actual = Object.entries(ERRORS).map(([code, { status, detail }]) => [code, String(status), detail])
  expect(documented).toEqual(actual)
})

test('docs/events.md lists exactly the security events that the server logs', () => {
  expect(tableRows(read('docs/events.md')).map(([event]) => event)).toEqual([...AUTH_EVENTS])
})

test('the README’s table of settings is the one the server reads', () => {
  const readme = read('README.md')
  expect(withSettingsTable(readme)).toBe(readme)
})

test('.env.example holds every setting the server reads', () => {
  expect(read('.env.example')).toBe(envExample())
})
