import { describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.js'
import { useTestApp } from '../support/test-app.js'

describe('/health/ready', () => {
  let asked = 0
  let answer = Promise.resolve()
  const app = useTestApp({
    intercept: (database): Database => ({
      ...database,
      async query(text, ...rest) {
        if (text === 'select 1') {
          asked++
          await answer
        }
        return database.query(text, ...rest)
      },
    }),
  })
  const askManyTimes = () => Array.from({ length: 100 }, () => app.get('/health/ready'))

  test('asks the database once for all who ask meanwhile, and again for who asks later', async () => {
    let release = (): void => {}
    answer = new Promise((resolve) => {
      release = resolve
    })
    const replies = askManyTimes()
    await app.get('/health/live')
    release()
    for (const { status } of await Promise.all(replies)) expect(status).toBe(200)
    expect(asked).toBe(1)
    await app.get('/health/ready')
    expect(asked).toBe(2)
  })
})
