import { execFile } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createSigner, createVerifier } from 'fast-jwt'
import { auth } from 'express-oauth2-jwt-bearer'
import express from 'express'
import { sign as honoSign, verify as honoVerify } from 'hono/jwt'
import { jwtVerify, SignJWT } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import type { AccessTokenClaims } from '../../../src/core/access-token.js'
import { SECRET } from '../../core/sample-token.js'
import type { Victim } from '../attacks/victims.js'

/** The key of the tokens, as others hold it. */
export type TokenKey = Victim

/** Another implementation, on its own terms. Both throw when it refuses or cannot. */
export interface Library {
  readonly name: string
  /** The claims of a token made by Keyward, of this key, for the audience `api`. */
  verify(key: TokenKey, token: string): Promise<unknown>
  /** Null where it only verifies. */
  readonly sign: ((key: TokenKey, claims: AccessTokenClaims) => Promise<string>) | null
}

const pemOf = ({ pair }: TokenKey, half: 'private' | 'public'): string => {
  if (pair === null) return SECRET
  return half === 'public'
    ? pair.publicKey.export({ format: 'pem', type: 'spki' }).toString()
    : pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
}

const jose: Library = {
  name: 'jose',
  async verify({ algorithm, pair }, token) {
    const rules = { algorithms: [algorithm], issuer: 'keyward', audience: 'api' }
    return (await jwtVerify(token, pair?.publicKey ?? Buffer.from(SECRET), rules)).payload
  },
  sign: ({ header, algorithm, pair }, claims) =>
    new SignJWT({ ...claims })
      .setProtectedHeader({ ...header, alg: algorithm })
      .sign(pair?.privateKey ?? Buffer.from(SECRET)),
}

const jsonWebToken: Library = {
  name: 'jsonwebtoken',
  async verify(key, token) {
    const algorithms = [key.algorithm as jsonwebtoken.Algorithm]
    return jsonwebtoken.verify(token, pemOf(key, 'public'), {
      algorithms,
      issuer: 'keyward',
      audience: 'api',
    })
  },
  sign: async (key, claims) =>
    jsonwebtoken.sign(claims, pemOf(key, 'private'), {
      algorithm: key.algorithm as jsonwebtoken.Algorithm,
      ...(key.pair && { keyid: key.pair.jwk.kid }),
    }),
}

const fastJwt: Library = {
  name: 'fast-jwt',
  async verify(key, token) {
    const rules = { algorithms: [key.algorithm], allowedIss: 'keyward', allowedAud: 'api' }
    return createVerifier({ key: pemOf(key, 'public'), ...rules })(token)
  },
  sign: async (key, claims) =>
    createSigner({
      key: pemOf(key, 'private'),
      algorithm: key.algorithm,
      ...(key.pair && { kid: key.pair.jwk.kid }),
    })({ ...claims }),
}

const hono: Library = {
  name: 'hono/jwt',
  verify: ({ algorithm, pair }, token) =>
    honoVerify(token, pair?.jwk ?? SECRET, { alg: algorithm, iss: 'keyward', aud: 'api' }),
  sign: ({ algorithm, pair }, claims) => {
    const jwk = pair && { ...pair.privateKey.export({ format: 'jwk' }), alg: algorithm, kid: pair.jwk.kid }
    return honoSign({ ...claims }, jwk ?? SECRET, algorithm)
  },
}

/** Middleware for Express that fetches a key set: it gets one from the application that it protects. */
const expressBearer: Library = {
  name: 'express-oauth2-jwt-bearer',
  async verify({ algorithm, pair }, token) {
    const app = express()
    const server = app.listen(0, '127.0.0.1')
    try {
      await once(server, 'listening')
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const key = pair === null ? { secret: SECRET } : { jwksUri: `${url}/jwks.json` }
      app.get('/jwks.json', (_, response) => void response.json({ keys: [pair?.jwk] }))
      app.use(auth({ issuer: 'keyward', audience: 'api', tokenSigningAlg: algorithm, ...key }))
      app.get('/', (request, response) => void response.json(request.auth?.payload))
      const reply = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
      if (!reply.ok) throw new Error(`refused with ${reply.status}`)
      return await reply.json()
    } finally {
      server.closeAllConnections()
      server.close()
    }
  },
  sign: null,
}

const SCRIPT = join(import.meta.dirname, '../../fixtures/pyjwt/pyjwt.py')

export const pyJwt = (python: string): Library => {
  const ask = (task: object): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const child = execFile(python, ['-W', 'ignore', SCRIPT], (error, stdout) =>
        error ? reject(error) : resolve(JSON.parse(stdout)),
      )
      child.stdin?.end(JSON.stringify(task))
    })
  return {
    name: 'PyJWT',
    verify: (key, token) => ask({ algorithm: key.algorithm, key: pemOf(key, 'public'), token }),
    async sign(key, claims) {
      const { algorithm, pair } = key
      const headers = pair === null ? {} : { kid: pair.jwk.kid }
      return String(await ask({ algorithm, key: pemOf(key, 'private'), claims, headers }))
    },
  }
}

export const LIBRARIES: readonly Library[] = [jose, jsonWebToken, fastJwt, hono, expressBearer]
