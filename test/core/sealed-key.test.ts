import { expect, test } from 'vitest'
import { createKeySafe } from '../../src/core/sealed-key.js'
import { newPrivateKey } from '../support/new-key.js'
import { SECRET } from './sample-token.js'

const safe = createKeySafe(SECRET)
const KEY = newPrivateKey('EdDSA')

test.each(['EdDSA', 'ES256', 'RS256'] as const)(
  'a sealed %s key is the same after it is opened',
  (algorithm) => {
    const key = newPrivateKey(algorithm)
    const opened = safe.open(safe.seal(key))
    expect(opened?.kid).toBe(key.kid)
    expect(key.verifies('text', opened!.sign('text'))).toBe(true)
  },
)

test('nothing private can be seen from outside, and no two seals are alike', () => {
  const { sealed } = safe.seal(KEY)
  expect(sealed.includes(KEY.toPkcs8().subarray(-32))).toBe(false)
  expect(safe.seal(KEY).sealed.equals(sealed)).toBe(false)
})

const OTHER_SECRET = 'pQ4tGz7LkVb2RwXc9NfMs1HyDj6UeTa0'

test('another secret does not open it', () => {
  expect(createKeySafe(OTHER_SECRET).open(safe.seal(KEY))).toBeNull()
})

test('what a previous secret has sealed opens, and nothing is sealed with it any more', () => {
  const replaced = createKeySafe(OTHER_SECRET, ['m8Wc3Xz6QkVn1RtYb5JgLp0SdHf7UeTa', SECRET])
  expect(replaced.open(safe.seal(KEY))?.kid).toBe(KEY.kid)
  expect(safe.open(replaced.seal(KEY))).toBeNull()
  expect(createKeySafe(OTHER_SECRET).open(replaced.seal(KEY))?.kid).toBe(KEY.kid)
})

test('a change of any byte, or a cut, keeps it shut', () => {
  const sealedKey = safe.seal(KEY)
  for (let i = 0; i < sealedKey.sealed.length; i++) {
    const changed = Buffer.from(sealedKey.sealed)
    changed[i]! ^= 1
    expect(safe.open({ ...sealedKey, sealed: changed }), `byte ${i}`).toBeNull()
  }
  for (const length of [0, 1, 12, 28, sealedKey.sealed.length - 1]) {
    expect(safe.open({ ...sealedKey, sealed: sealedKey.sealed.subarray(0, length) })).toBeNull()
  }
})

test('it cannot be passed off as another key or for another algorithm', () => {
  const other = safe.seal(newPrivateKey('EdDSA'))
  expect(safe.open({ ...safe.seal(KEY), kid: other.kid })).toBeNull()
  expect(safe.open({ ...safe.seal(KEY), algorithm: 'ES256' })).toBeNull()
})

test('what an earlier version has sealed opens', () => {
  // The key of RFC 8032 §7.1, test 1; its thumbprint is given in RFC 8037 §A.3.
  const kid = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'
  const sealed = Buffer.from(
    'DaEgK3oTz6hEwQvblgi5Xw+pDazpMJDOESUTtxXbsQmhvfN1qxmR/u2IVF2hut49hLrywMGnGAtNS+Cp5cDcBLjx+TpmxKXHsewZzQ==',
    'base64',
  )
  expect(safe.open({ kid, algorithm: 'EdDSA', sealed })?.kid).toBe(kid)
})
