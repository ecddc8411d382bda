import { generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { signAccessToken, verifyAccessToken } from '../../src/core/access-token.js'
import { CLAIMS, HEADER, KEY, KEYRING, macOf, NOW, RULES, tokenOf } from './sample-token.js'

const INVALID = { ok: false, code: 'invalid_token' }
const judge = (token: string) =>
  verifyAccessToken(KEYRING, token, { ...RULES, acceptLegacyTokens: true }, NOW)

const VALID = signAccessToken(KEY, CLAIMS)
const [header = '', payload = '', signature = ''] = VALID.split('.')
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

test('the token that the attacks below start from is accepted', () => {
  expect(judge(VALID).ok).toBe(true)
})

test('a change of any single character is refused', () => {
  for (let i = 0; i < VALID.length; i++) {
    const other = VALID[i] === 'A' ? 'B' : 'A'
    expect(judge(VALID.slice(0, i) + other + VALID.slice(i + 1)), `character ${i}`).toEqual(INVALID)
  }
})

describe('the algorithm is not the token’s to choose', () => {
  const spellings = [
    'none',
    'None',
    'NONE',
    'nOnE',
    'none ',
    '',
    null,
    undefined,
    ['HS256'],
    'hs256',
    'HS256 ',
  ]
  test.each(spellings)('refuses alg %j with no signature, with a foreign one and with a right one', (alg) => {
    const forged = { alg, typ: 'JWT' }
    expect(judge(`${base64url(forged)}.${payload}.`)).toEqual(INVALID)
    expect(judge(`${base64url(forged)}.${payload}`)).toEqual(INVALID)
    expect(judge(`${base64url(forged)}.${payload}.${signature}`)).toEqual(INVALID)
    expect(judge(tokenOf(forged, CLAIMS))).toEqual(INVALID)
  })

  test.each(['HS384', 'HS512', 'RS256', 'ES256', 'EdDSA'])('refuses alg %s over a right HS256 MAC', (alg) => {
    expect(judge(tokenOf({ alg, typ: 'JWT' }, CLAIMS))).toEqual(INVALID)
  })

  test.each([
    ['HS384', 'sha384'],
    ['HS512', 'sha512'],
  ])('refuses a genuine %s MAC with the shared secret', (alg, hash) => {
    for (const claimed of [alg, 'HS256']) {
      const signingInput = `${base64url({ alg: claimed, typ: 'JWT' })}.${payload}`
      expect(judge(`${signingInput}.${macOf(signingInput, hash)}`)).toEqual(INVALID)
    }
  })

  test('refuses a genuine RS256 signature', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const signingInput = `${base64url({ alg: 'RS256', typ: 'JWT' })}.${payload}`
    const rsa = sign('sha256', Buffer.from(signingInput), privateKey).toString('base64url')
    expect(judge(`${signingInput}.${rsa}`)).toEqual(INVALID)
  })

  test('refuses a MAC with the empty key, and one that is cut short', () => {
    expect(judge(`${header}.${payload}.${macOf(`${header}.${payload}`, 'sha256', '')}`)).toEqual(INVALID)
    const short = Buffer.from(signature, 'base64url').subarray(0, 16).toString('base64url')
    expect(judge(`${header}.${payload}.${short}`)).toEqual(INVALID)
  })
})

test.each([
  ['a critical extension', { ...HEADER, crit: ['exp'], exp: 1 }],
  ['an empty list of critical extensions', { ...HEADER, crit: [] }],
  ['an unencoded payload', { ...HEADER, b64: false, crit: ['b64'] }],
  ['b64 alone', { ...HEADER, b64: true }],
  ['the type of a refresh token', { ...HEADER, typ: 'refresh+jwt' }],
  ['the type of an OAuth access token', { ...HEADER, typ: 'at+jwt' }],
  ['a type that is no text', { ...HEADER, typ: ['JWT'] }],
  ['a type that is null', { ...HEADER, typ: null }],
])('refuses a rightly signed header with %s', (_, forged) => {
  expect(judge(tokenOf(forged, CLAIMS))).toEqual(INVALID)
})

test.each([
  ['no type', { alg: 'HS256' }],
  ['the type in lower case', { alg: 'HS256', typ: 'jwt' }],
  ['a key id, which is ignored', { ...HEADER, kid: '../../dev/null', jku: 'https://attacker.example' }],
])('accepts a rightly signed header with %s', (_, harmless) => {
  expect(judge(tokenOf(harmless, CLAIMS)).ok).toBe(true)
})

describe('one token has one spelling', () => {
  const unusedBit = ALPHABET[ALPHABET.indexOf(signature.slice(-1)) ^ 1] ?? ''
  test.each([
    ['padding after the signature', `${VALID}=`],
    ['two signs of padding', `${VALID}==`],
    ['padding after the header', `${header}=.${payload}.${signature}`],
    ['a space behind', `${VALID} `],
    ['a space in front', ` ${VALID}`],
    ['a newline behind', `${VALID}\n`],
    ['a newline inside', `${header}.${payload}.${signature.slice(0, 20)}\n${signature.slice(20)}`],
    ['a NUL behind', `${VALID}\u0000`],
    ['a flipped unused bit in the signature', VALID.slice(0, -1) + unusedBit],
    ['a look-alike of another script', VALID.replace('e', 'е')],
  ])('refuses it with %s', (_, respelled) => {
    expect(respelled).not.toBe(VALID)
    expect(judge(respelled)).toEqual(INVALID)
  })

  test('refuses it in the standard base64 alphabet', () => {
    expect(signature, 'the sample must hold a character that differs').toMatch(/[-_]/)
    const respelled = `${header}.${payload}.${signature.replaceAll('-', '+').replaceAll('_', '/')}`
    expect(judge(respelled)).toEqual(INVALID)
  })
})

test.each([
  ['nothing', ''],
  ['one dot', '.'],
  ['two dots', '..'],
  ['two parts', `${header}.${payload}`],
  ['an empty signature', `${header}.${payload}.`],
  ['an empty header', `.${payload}.${signature}`],
  ['a detached payload', `${header}..${signature}`],
  ['a fourth part', `${VALID}.`],
  ['five parts, as of an encrypted token', `${header}.AA.${payload}.AA.${signature}`],
  ['a thousand dots', '.'.repeat(1000)],
  ['a million dots', '.'.repeat(1_000_000)],
  ['ten million characters', 'A'.repeat(10_000_000)],
  ['the flattened JSON serialisation', JSON.stringify({ protected: header, payload, signature })],
  [
    'the general JSON serialisation',
    JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
  ],
  ['parts in another order', `${payload}.${header}.${signature}`],
  ['text', 'null'],
])('refuses %s', (_, token) => {
  expect(judge(token)).toEqual(INVALID)
})

test('refuses a rightly signed token of more than 4096 characters', () => {
  const tokens = Array.from({ length: 1_000 }, (_, i) => ({ ...CLAIMS, padding: 'x'.repeat(2_000 + i) }))
    .map((claims) => tokenOf(HEADER, claims))
    .filter(({ length }) => length >= 4094 && length <= 4099)
  for (const token of tokens) expect(judge(token).ok, `${token.length}`).toBe(token.length <= 4096)
  expect(tokens.map(({ length }) => length)).toContain(4096)
})

const claimsText = JSON.stringify(CLAIMS)
test.each<[string, string | Buffer]>([
  [
    'bytes that are not UTF-8',
    Buffer.concat([Buffer.from(claimsText.slice(0, -1)), Buffer.from(',"x":"\xff"}', 'latin1')]),
  ],
  ['a byte order mark', `\uFEFF${claimsText}`],
  ['UTF-16', Buffer.from(claimsText, 'utf16le')],
  ['a list', `[${claimsText}]`],
  ['null', 'null'],
  ['a number', '1'],
  ['text', '"ada"'],
  ['half an object', claimsText.slice(0, -1)],
  ['something behind the object', `${claimsText}{}`],
  ['a hundred nested lists', '['.repeat(100)],
])('refuses a rightly signed payload that is %s', (_, content) => {
  expect(judge(tokenOf(HEADER, content))).toEqual(INVALID)
})

test('takes the last of two claims of one name, whoever reads the token', () => {
  const twice = `{"exp":1,"sub":"x",${claimsText.slice(1)}`
  expect(judge(tokenOf(HEADER, twice)).ok).toBe(true)
  expect(judge(tokenOf(HEADER, `${claimsText.slice(0, -1)},"exp":1}`))).toEqual({
    ok: false,
    code: 'token_expired',
  })
})

test('takes no claim from a prototype', () => {
  const { exp: _, ...rest } = CLAIMS
  const smuggled = `${JSON.stringify(rest).slice(0, -1)},"__proto__":{"exp":${CLAIMS.exp}}}`
  expect(judge(tokenOf(HEADER, smuggled))).toEqual(INVALID)
})
