import { expect, test } from 'vitest'
import { useTestApp } from '../support/test-app.js'

const app = useTestApp()

// What it spares shows only as time (the fourth thousand of attempts took ten times as long as the first): plans that
// PostgreSQL keeps inside of a function can be seen from nowhere.
test('the functions that count attempts never read the whole table, also with plans made while it was empty', async () => {
  const functions = await app.database.query<{ name: string; settings: string[] }>(
    "select proname as name, proconfig as settings from pg_proc where proname like 'keyward%attempt%'",
  )
  expect(functions.map(({ name }) => name).sort()).toEqual([
    'keyward_attempts_closed_until',
    'keyward_take_attempt',
  ])
  for (const { settings } of functions) expect(settings).toContain('enable_seqscan=off')
})
