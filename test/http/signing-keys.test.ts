import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { signAccessToken } from '../../src/core/access-token.js'
import { createKeySafe } from '../../src/core/sealed-key.js'
import { newPrivateKey } from '../support/new-key.js'
import { buildTestApp, PRESENT, readClaims, SECRET, useTestApp } from '../support/test-app.js'
import { ENCRYPTION_SECRET, KEYS, kidOf, profileWith, publishedBy, withKeys } from './signing-app.js'

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
