import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { envExample, withSettingsTable } from '../../scripts/settings-docs.js'
import {
  CLOSED_WAIT_SECONDS,
  FAILURE_LIMITS,
  FIRST_WAIT_SECONDS,
  KNOWN_PLACE_SECONDS,
  MAX_RECENT_PLACES,
  MOST_FAILURES,
} from '../../src/attempts/limits.js'
import { SITE_BITS } from '../../src/core/address-block.js'
import { AUTH_EVENTS, REQUEST_REFUSALS } from '../../src/core/auth-event.js'
import { SERVER_GRANTS } from '../../src/db/server-grants.js'
import { ERRORS } from '../../src/errors.js'
import {
  HEADERS_TIMEOUT_MS,
  MAX_BODY_BYTES,
  MAX_HEADER_BYTES,
  REQUEST_TIMEOUT_MS,
} from '../../src/http/app.js'
import { MAX_CLIENTS, WINDOW_SECONDS } from '../../src/http/request-limits.js'
import { MAX_REFUSAL_LINES, REFUSAL_INTERVAL_MS, TALLY_INTERVAL_MS } from '../../src/log.js'
import { SETTINGS } from '../../src/settings.js'

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

test('docs/events.md names every reason for which a request is refused, and how many lines there may be of it', () => {
  const text = read('docs/events.md').replaceAll(/\s+/g, ' ')
  const [, , reasons] = tableRows(read('docs/events.md')).find(([event]) => event === 'request_refused')!
  expect(reasons!.split(', ')).toEqual([...REQUEST_REFUSALS])
  expect(REFUSAL_INTERVAL_MS).toBe(60_000)
  expect(text).toContain('One line a minute at most for each client and reason')
  expect(text).toContain(`At most ${MAX_REFUSAL_LINES.toLocaleString('en')} lines are written in a minute`)
})

test('docs/database-roles.md lists exactly the rights that the server gets', () => {
  const actual = new Map<string, string>()
  for (const { on, privileges, columns } of SERVER_GRANTS) {
    const rights = `${privileges.join(', ')}${columns ? ` (${columns.join(', ')})` : ''}`
    actual.set(on, [actual.get(on), rights].filter(Boolean).join('; '))
  }
  expect(tableRows(read('docs/database-roles.md'))).toEqual([...actual])
})

/** As people write it: `15 min`. */
function inWords(seconds: number): string {
  const units: [string, number][] = [
    ['day', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ]
  const [unit, size] = units.find(([, size]) => seconds % size === 0)!
  return `${seconds / size} ${unit}`
}

test('docs/limits.md gives exactly the figures by which attempts at passwords are limited', () => {
  const text = read('docs/limits.md')
  const documented = tableRows(text).filter(([name = '']) => name in FAILURE_LIMITS)
  const actual = Object.entries(FAILURE_LIMITS).map(([name, limit]) => [
    name,
    String(limit.freeFailures),
    inWords(FIRST_WAIT_SECONDS),
    inWords(limit.longestWaitSeconds),
    inWords(CLOSED_WAIT_SECONDS),
    inWords(limit.forgetsOneAfterSeconds),
  ])
  expect(documented).toEqual(actual)
  expect(text).toContain(`| after ${MOST_FAILURES} failures |`)
  expect(text).toContain(`for ${KNOWN_PLACE_SECONDS / 86_400} days after the last time`)
})

test('docs/limits.md names every setting of the limits, with its default', () => {
  const documented = tableRows(read('docs/limits.md')).filter(([name]) => name!.startsWith('RATE_LIMIT_'))
  const actual = Object.entries(SETTINGS).filter(([name]) => name.startsWith('RATE_LIMIT_'))
  expect(documented.map(([name, value]) => [name, value])).toEqual(
    actual.map(([name, setting]) => [name, setting.default]),
  )
})

test('docs/limits.md gives all other bounds as they are', () => {
  const text = read('docs/limits.md').replaceAll(/\s+/g, ' ')
  const quotaOf = (name: keyof typeof SETTINGS): string => SETTINGS[name].default!
  const [all, registrations] = [quotaOf('RATE_LIMIT_REQUESTS'), quotaOf('RATE_LIMIT_REGISTRATIONS')]
  const bounds = [
    `an IPv6 /${SITE_BITS}.`,
    `one line every ${TALLY_INTERVAL_MS / 1000} s at most`,
    `from one minute (${WINDOW_SECONDS} s) to the next`,
    `RateLimit-Policy: "requests";q=${all};w=${WINDOW_SECONDS}, "registrations";q=${registrations};w=${WINDOW_SECONDS}`,
    `tells ${MAX_CLIENTS.toLocaleString('en')} clients apart`,
    `the latest ${MAX_RECENT_PLACES.toLocaleString('en')} log-ins`,
    `A body has at most ${MAX_BODY_BYTES / 1024} KiB, and the headers ${MAX_HEADER_BYTES / 1024} KiB.`,
    `A client has ${HEADERS_TIMEOUT_MS / 1000} s for its headers and ${REQUEST_TIMEOUT_MS / 1000} s for its whole request.`,
  ]
  for (const bound of bounds) expect(text).toContain(bound)
})

test('the README’s table of settings is the one the server reads', () => {
  const readme = read('README.md')
  expect(withSettingsTable(readme)).toBe(readme)
})

test('.env.example holds every setting the server reads', () => {
  expect(read('.env.example')).toBe(envExample())
})
