import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { signAccessToken } from '../../src/core/access-token.js'
import { createKeySafe } from '../../src/core/sealed-key.js'
import { buildTestApp, PRESENT, readClaims, SECRET, type TestApp, useTestApp } from '../support/test-app.js'
import { newPrivateKey } from '../support/new-key.js'

const ENCRYPTION_SECRET = 'tB6yWq1ZsXn8RmVc4LdKf7PjHg2UeAo9'
const KEYS = '/.well-known/jwks.json'
const TTL = 600
const withKeys = (algorithm: string, more: Record<string, string> = {}) => ({
  BETTER_AUTH_SECRET: '',
  JWT_ALGORITHM: algorithm,
  KEY_ENCRYPTION_SECRET: ENCRYPTION_SECRET,
  ACCESS_TOKEN_TTL: String(TTL),
  ...more,
})
const kidOf = (token: string): string | undefined => decodeProtectedHeader(token).kid
const publishedBy = async (app: TestApp): Promise<string[]> =>
  (await app.get(KEYS)).body.keys.map(({ kid }: { kid: string }) => kid)
const profileWith = async (app: TestApp, token: string): Promise<string> => {
  const { status, body } = await app.get('/api/auth/profile', token)
  return status === 200 ? 'let in' : body.code
}

describe.each(['EdDSA', 'ES256', 'RS256'])('a server that signs with %s', (algorithm) => {
  const app = useTestApp({ startAt: PRESENT, environment: withKeys(algorithm) })

  test('makes its key at the first start, and its tokens are good here and with the published keys', async () => {
    const user = await app.newUser()
    expect((await user.get('/api/auth/profile')).status).toBe(200)
    const keySet = (await app.get(KEYS)).body
    const { protectedHeader, payload } = await jwtVerify(user.token, createLocalJWKSet(keySet), {
      algorithms: [algorithm],
      issuer: 'keyward',
      currentDate: new Date(PRESENT),
    })
    expect(protectedHeader).toEqual({ alg: algorithm, typ: 'JWT', kid: keySet.keys[0].kid })
    expect(payload.sub).toBe(user.id)
  })

  test('refuses tokens of the shared secret', async () => {
    const { body } = await app.post('/api/auth/login', { email: 'nobody@example.com', password: 'x' })
    expect(body.code).toBe('invalid_credentials')
    const user = await app.newUser()
    const forged = await hs256(user.token, SECRET)
    expect(await profileWith(app, forged)).toBe('invalid_token')
  })
})

/** The same claims, signed with a shared secret. */
async function hs256(token: string, secret: string): Promise<string> {
  const { SignJWT } = await import('jose')
  return new SignJWT(readClaims(token))
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(Buffer.from(secret))
}

describe('the key set', () => {
  const app = useTestApp({ startAt: PRESENT, environment: withKeys('EdDSA') })

  test('may be kept for a minute, and is not sent again unchanged', async () => {
    const { status, headers, body } = await app.get(KEYS)
    expect([status, headers['cache-control']]).toEqual([200, 'public, max-age=60'])
    expect(headers['content-type']).toBe('application/json; charset=utf-8')
    expect(Object.keys(body)).toEqual(['keys'])
    expect(Object.keys(body.keys[0]).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x'])
    const etag = String(headers.etag)
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await app.send({ url: KEYS, headers: { 'if-none-match': known } })
      expect([again.status, again.text, again.headers.etag]).toEqual([304, '', etag])
    }
    const other = await app.send({ url: KEYS, headers: { 'if-none-match': '"other"' } })
    expect(other.status).toBe(200)
  })

  test('needs no token, and looks at none', async () => {
    expect((await app.get(KEYS, 'wrong')).status).toBe(200)
  })

  test('changes its name when it changes', async () => {
    const before = (await app.get(KEYS)).headers.etag
    await app.runKeyCommand({ action: 'keys rotate', kid: null })
    expect((await app.get(KEYS)).headers.etag).not.toBe(before)
  })
})

describe('on a server with a shared secret', () => {
  const app = useTestApp({ startAt: PRESENT })

  test('the key set is empty, and there is nothing to rotate', async () => {
    expect((await app.get(KEYS)).body).toEqual({ keys: [] })
    await expect(app.runKeyCommand({ action: 'keys rotate', kid: null })).rejects.toThrow(
      'which has no key pairs',
    )
  })
})

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

describe('keys in the database', () => {
  const app = useTestApp({ startAt: PRESENT, environment: withKeys('EdDSA') })
  const start = (environment: Record<string, string>) =>
    buildTestApp(app.database, { startAt: PRESENT, environment })

  test('with another encryption secret a node says so and does not start', async () => {
    await app.newUser()
    const wrong = await start(
      withKeys('EdDSA', { KEY_ENCRYPTION_SECRET: 'Wq1ZsXn8RmVc4LdKf7PjHg2UeAo9tB6y' }),
    )
    await expect(wrong.server.ready()).rejects.toThrow('do not open with this KEY_ENCRYPTION_SECRET')
    await expect(wrong.runKeyCommand({ action: 'keys rotate', kid: null })).rejects.toThrow('do not open')
    expect((await app.runKeyCommand({ action: 'keys list', kid: null })).keys).toHaveLength(1)
  })

  test('who can write to the table, but has no encryption secret, can sign nothing', async () => {
    const user = await app.newUser()
    const own = newPrivateKey('EdDSA')
    const planted = createKeySafe(SECRET).seal(own)
    await app.database.query(
      `insert into keyward_signing_keys (kid, algorithm, sealed_private_key, signs_from, longest_token_seconds)
       values ($1, 'EdDSA', $2, now(), 600)`,
      [planted.kid, planted.sealed],
    )
    expect(await profileWith(app, signAccessToken(own, readClaims(user.token)))).toBe('invalid_token')
    expect(await publishedBy(app)).not.toContain(own.kid)
    expect(kidOf((await app.newUser()).token)).toBe(kidOf(user.token))
    expect(app.logLines.join('')).toContain('a signing key does not open')
    await app.database.query('delete from keyward_signing_keys where kid = $1', [own.kid])
  })

  test('nothing private stands in any column, log line or answer', async () => {
    const { sealed_private_key, ...columns } = (
      await app.database.query<{ kid: string; sealed_private_key: Buffer }>(
        'select * from keyward_signing_keys',
      )
    )[0]!
    const key = createKeySafe(ENCRYPTION_SECRET).open({
      kid: columns.kid,
      algorithm: 'EdDSA',
      sealed: sealed_private_key,
    })!
    const secret = key.toPkcs8().subarray(-32)
    const { text } = await app.get(KEYS)
    const report = JSON.stringify(await app.runKeyCommand({ action: 'keys list', kid: null }))
    for (const encoding of ['base64', 'base64url', 'hex', 'latin1'] as const) {
      const canary = secret.toString(encoding)
      for (const place of [
        sealed_private_key.toString(encoding),
        JSON.stringify(columns),
        text,
        report,
        ...app.logLines,
      ])
        expect(place).not.toContain(canary)
    }
    expect(JSON.parse(text).keys[0]).not.toHaveProperty('d')
  })
})

describe('JWT_AUDIENCE and JWT_TYPE', () => {
  const app = useTestApp({
    startAt: PRESENT,
    environment: withKeys('EdDSA', { JWT_AUDIENCE: 'api, admin', JWT_TYPE: 'at+jwt' }),
  })

  test('stand in the tokens, which are good here', async () => {
    const user = await app.newUser()
    expect(readClaims(user.token).aud).toEqual(['api', 'admin'])
    expect(decodeProtectedHeader(user.token).typ).toBe('at+jwt')
    expect(await profileWith(app, user.token)).toBe('let in')
  })

  test('are demanded of tokens', async () => {
    const user = await app.newUser()
    const plain = await buildTestApp(app.database, { startAt: PRESENT, environment: withKeys('EdDSA') })
    const other = await buildTestApp(app.database, {
      startAt: PRESENT,
      environment: withKeys('EdDSA', { JWT_AUDIENCE: 'admin' }),
    })
    expect(await profileWith(plain, user.token)).toBe('invalid_token')
    expect(await profileWith(other, user.token)).toBe('invalid_token')
    const foreign = await other.login(user)
    expect(readClaims(foreign.token).aud).toBe('admin')
    expect(await profileWith(app, foreign.token)).toBe('invalid_token')
    expect(await profileWith(plain, foreign.token)).toBe('invalid_token')
    await Promise.all([plain.server.close(), other.server.close()])
  })
})
