import { afterEach, describe, expect, test } from 'vitest'
import { Refusal } from '../../../src/errors.js'
import { PASSWORD, QUIET_FEED, type Reply, useTestApp } from '../../support/test-app.js'
import { disable } from '../../http/users-table.js'

// An error in the middle of a check is a refusal (docs/security/cves.md).

const app = useTestApp({ environment: { ...QUIET_FEED, RATE_LIMIT: 'on' } })

let restore = (): void => {}
afterEach(() => restore())

/** Lets the query with this number fail, counted from now. Returns how many there were. */
function failAt(number: number, error: () => Error): () => number {
  const { query } = app.database
  let count = 0
  app.database.query = async (...values) => {
    if (++count === number) throw error()
    return query(...values) as Promise<never>
  }
  restore = () => {
    app.database.query = query
  }
  return () => {
    restore()
    return count
  }
}

/** The answers to this request, each with another one of its queries failing. */
async function failEach(send: () => Promise<Reply>): Promise<Reply[]> {
  const replies: Reply[] = []
  for (let number = 1; ; number++) {
    for (const error of [
      () => new Error('broken'),
      () => new Refusal('database_unavailable', { retryAfterSeconds: 1 }),
    ]) {
      const count = failAt(number, error)
      const reply = await send()
      if (count() < number) return replies
      replies.push(reply)
    }
  }
}

describe('whichever query fails, nobody is let in who would not be otherwise (CVE-2026-123797)', () => {
  const logIn = (email: string, password: string) => app.post('/api/auth/login', { email, password })

  test('with a wrong password', async () => {
    const user = await app.newUser()
    const replies = await failEach(() => logIn(user.email, 'wr0ng-Password!'))
    expect(replies.length).toBeGreaterThanOrEqual(4)
    for (const { status, text } of replies) {
      expect([500, 503]).toContain(status)
      expect(text).not.toContain('token')
    }
  })

  test('with the right password of a disabled account', async () => {
    const user = await app.newUser()
    await disable(app.database, user.id)
    const replies = await failEach(() => logIn(user.email, PASSWORD))
    expect(replies.length).toBeGreaterThanOrEqual(6)
    for (const { status, text } of replies) {
      expect([403, 500, 503]).toContain(status)
      expect(text).not.toContain('token')
    }
  })

  test('where the limit is reached, with the right password', async () => {
    const user = await app.newUser()
    for (let i = 0; i < 5; i++) expect((await logIn(user.email, 'wr0ng-Password!')).status).toBe(401)
    const replies = await failEach(() => logIn(user.email, PASSWORD))
    expect(replies.length).toBeGreaterThanOrEqual(2)
    for (const { status } of replies) expect([429, 500, 503]).toContain(status)
  })

  test('with a refresh token of an ended session', async () => {
    const user = await app.newUser()
    await user.post('/api/auth/logout')
    const replies = await failEach(() => app.refresh(user.refreshToken))
    expect(replies.length).toBeGreaterThanOrEqual(2)
    for (const { status } of replies) expect([401, 500, 503]).toContain(status)
  })
})
