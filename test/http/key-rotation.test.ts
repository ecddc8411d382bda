import { jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { buildTestApp, PRESENT, SECRET, useTestApp } from '../support/test-app.js'
import { ENCRYPTION_SECRET, KEYS, kidOf, profileWith, publishedBy, TTL, withKeys } from './signing-app.js'

describe('rotation', () => {
  const app = useTestApp({ startAt: PRESENT, environment: withKeys('EdDSA') })

  test('goes by itself from publishing the next key to the end of the old one', async () => {
    const before = await app.newUser()
    const old = kidOf(before.token)!
    const { keys, message } = await app.runKeyCommand({ action: 'keys rotate', kid: null })
    const next = keys.find(({ state }) => state === 'waits')!.kid
    expect(message).toContain(next)
    expect(await publishedBy(app)).toEqual([old, next])
    expect(kidOf((await app.newUser()).token)).toBe(old)

    app.passSeconds(400)
    const last = await app.login(before)
    expect(kidOf(last.token)).toBe(next)
    expect([await profileWith(app, before.token), await profileWith(app, last.token)]).toEqual([
      'let in',
      'let in',
    ])
    expect(await publishedBy(app)).toEqual([old, next])

    app.passSeconds(TTL + 300)
    expect(await publishedBy(app)).toEqual([next])
    const again = await app.runKeyCommand({ action: 'keys list', kid: null })
    expect(again.message).toBeNull()
  })

  test('asked for twice, it happens once', async () => {
    await app.runKeyCommand({ action: 'keys rotate', kid: null })
    const { keys, message } = await app.runKeyCommand({ action: 'keys rotate', kid: null })
    expect(message).toContain('nothing was changed')
    expect(keys.filter(({ state }) => state === 'waits')).toHaveLength(1)
  })
})

describe('rotation without end', () => {
  const app = useTestApp({ startAt: PRESENT, environment: withKeys('EdDSA') })

  test('goes as far as to the number of keys that guards take', async () => {
    const user = await app.newUser()
    const rotate = async () => {
      await app.database.query('update keyward_signing_keys set signs_from = least(signs_from, now())')
      return app.runKeyCommand({ action: 'keys rotate', kid: null })
    }
    for (let count = 1; count < 32; count++) await rotate()
    await expect(rotate()).rejects.toThrow('guards take no more')
    const { text } = await app.get(KEYS)
    const [keySet, bytes] = [JSON.parse(text), Buffer.byteLength(text)]
    expect([keySet.keys.length, bytes < 64 * 1024]).toEqual([32, true])
    expect(await profileWith(app, user.token)).toBe('let in')
  })
})

describe('a key that was retired', () => {
  const app = useTestApp({ startAt: PRESENT, environment: withKeys('ES256') })

  test('is refused and unpublished at once, and the next one signs', async () => {
    const user = await app.newUser()
    const stolen = kidOf(user.token)!
    await expect(app.runKeyCommand({ action: 'keys retire', kid: stolen })).rejects.toThrow(
      'keyward keys rotate',
    )
    expect(await profileWith(app, user.token)).toBe('let in')
    await app.runKeyCommand({ action: 'keys rotate', kid: null })
    const { keys } = await app.runKeyCommand({ action: 'keys retire', kid: stolen })
    expect(keys.map(({ state }) => state)).toEqual(['signs'])
    expect(await profileWith(app, user.token)).toBe('invalid_token')
    expect(await publishedBy(app)).toEqual([keys[0]!.kid])
    const fresh = await app.refresh(user.refreshToken)
    expect(kidOf(fresh.body.access_token)).toBe(keys[0]!.kid)
    expect(await profileWith(app, fresh.body.access_token)).toBe('let in')
  })

  test('is named by its kid and by nothing else', async () => {
    for (const kid of ['', 'x', "' or true --", '../x', '__proto__', null]) {
      await expect(app.runKeyCommand({ action: 'keys retire', kid })).rejects.toThrow('There is no key')
    }
  })
})

describe('from a shared secret to a key pair', () => {
  const app = useTestApp({ startAt: PRESENT, environment: { KEY_ENCRYPTION_SECRET: ENCRYPTION_SECRET } })

  test('old tokens are good as long as the secret is on the list, whichever node they come to', async () => {
    const user = await app.newUser()
    const changed = await buildTestApp(app.database, {
      startAt: PRESENT,
      environment: withKeys('EdDSA', { BETTER_AUTH_SECRET_PREVIOUS: SECRET }),
    })
    expect(await profileWith(changed, user.token)).toBe('let in')
    const fresh = await changed.login(user)
    expect(kidOf(fresh.token)).toBeDefined()
    // The node that has not changed over yet learns of the key from its first token.
    expect(await profileWith(app, fresh.token)).toBe('let in')
    expect(kidOf((await app.login(user)).token)).toBeUndefined()
    expect(await publishedBy(app)).toEqual(await publishedBy(changed))

    const strict = await buildTestApp(app.database, { startAt: PRESENT, environment: withKeys('EdDSA') })
    expect(await profileWith(strict, user.token)).toBe('invalid_token')
    expect(await profileWith(strict, fresh.token)).toBe('let in')
    await Promise.all([changed.server.close(), strict.server.close()])
  })
})

describe('a KEY_ENCRYPTION_SECRET that is replaced', () => {
  const app = useTestApp({ startAt: PRESENT, environment: withKeys('EdDSA') })
  const NEW_SECRET = 'pQ4tGz7LkVb2RwXc9NfMs1HyDj6UeTa0'
  const build = (current: string, previous = '') =>
    buildTestApp(app.database, {
      startAt: PRESENT,
      environment: withKeys('EdDSA', {
        KEY_ENCRYPTION_SECRET: current,
        KEY_ENCRYPTION_SECRET_PREVIOUS: previous,
      }),
    })

  test('opens the keys from before, on all nodes, until the last of them is gone', async () => {
    const user = await app.newUser()
    const old = kidOf(user.token)!
    const prepared = await build(ENCRYPTION_SECRET, NEW_SECRET)
    const changed = await build(NEW_SECRET, ENCRYPTION_SECRET)
    expect(await profileWith(changed, user.token)).toBe('let in')
    expect(kidOf((await changed.login(user)).token)).toBe(old)

    await changed.runKeyCommand({ action: 'keys rotate', kid: null })
    const { keys } = await changed.runKeyCommand({ action: 'keys retire', kid: old })
    const fresh = await changed.login(user)
    expect(kidOf(fresh.token)).toBe(keys[0]!.kid)
    expect(await profileWith(prepared, fresh.token)).toBe('let in')

    const finished = await build(NEW_SECRET)
    expect(await profileWith(finished, fresh.token)).toBe('let in')
    expect(await profileWith(finished, user.token)).toBe('invalid_token')
    await Promise.all([prepared, changed, finished].map(({ server }) => server.close()))
  })
})

describe('a secret that is replaced', () => {
  const app = useTestApp({ startAt: PRESENT })

  test('signs no more, and its tokens are good while it is on the list', async () => {
    const user = await app.newUser()
    const current = 'pQ4tGz7LkVb2RwXc9NfMs1HyDj6UeTa0'
    const rotated = await buildTestApp(app.database, {
      startAt: PRESENT,
      environment: { BETTER_AUTH_SECRET: current, BETTER_AUTH_SECRET_PREVIOUS: SECRET },
    })
    expect(await profileWith(rotated, user.token)).toBe('let in')
    const fresh = await rotated.login(user)
    await expect(
      jwtVerify(fresh.token, Buffer.from(current), { currentDate: new Date(PRESENT) }),
    ).resolves.toBeDefined()
    expect(await profileWith(app, fresh.token)).toBe('invalid_token')
    await rotated.server.close()
  })
})
