import { expect, test } from 'vitest'
import { createAttemptKeys } from '../../src/attempts/attempt.js'

const keysOf = createAttemptKeys('mV3xqLw8ZrT5nKc1YbH7dFg2JsPa9eUo')
const hexOf = (email: string, address: string) => {
  const { pair, account, address: client } = keysOf(email, address)
  return { pair: pair.toString('hex'), account: account.toString('hex'), address: client.toString('hex') }
}
const ADA = hexOf('ada@example.com', '203.0.113.7')

test('all spellings of one account and of one client are counted as one', () => {
  for (const spelling of [' ADA@Example.COM\n', 'ada@EXAMPLE.com']) {
    expect(hexOf(spelling, '::ffff:203.0.113.7')).toEqual(ADA)
  }
  expect(hexOf('No Address', '2001:db8::1')).toEqual(hexOf('NO address', '2001:db8::2'))
})

test('another client shares the count of the account alone, another account that of the client alone', () => {
  const elsewhere = hexOf('ada@example.com', '203.0.113.8')
  expect(elsewhere.account).toBe(ADA.account)
  expect(elsewhere.pair).not.toBe(ADA.pair)
  expect(elsewhere.address).not.toBe(ADA.address)
  const other = hexOf('eve@example.com', '203.0.113.7')
  expect(other.address).toBe(ADA.address)
  expect(other.pair).not.toBe(ADA.pair)
  expect(other.account).not.toBe(ADA.account)
})

test('no account and client can be chosen so that their count is that of others', () => {
  expect(hexOf('a', 'bc').pair).not.toBe(hexOf('ab', 'c').pair)
  const same = hexOf('203.0.113.7', '203.0.113.7')
  expect(new Set([same.pair, same.account, same.address]).size).toBe(3)
  expect(hexOf('address', '').account).not.toBe(hexOf('', 'account').address)
})

test('what an earlier version has counted counts on', () => {
  expect(ADA).toEqual({
    pair: '0b5bde354f96e8114ac23d9637e94e585ba723144ac74d46ca28cc4684326754',
    account: '0b5bde354f96e8114ac23d9637e94e5884fb1abf2c58803c036b363c7a4b652e',
    address: '86e4c30474f965436f9fe492abe9374ee5d9a97da71f175e12928c49055ee4a7',
  })
  expect(hexOf('No Address', '2001:db8::1').pair).toBe(
    'ab1a79bca182434c51886b085d63227d52f8cfdb9295b65926ae4e45d1984920',
  )
})

test('under another secret nothing is counted as before', () => {
  const { pair, account, address } = createAttemptKeys('pQ4tGz7LkVb2RwXc9NfMs1HyDj6UeTa0')(
    'ada@example.com',
    '203.0.113.7',
  )
  for (const key of [pair, account, address]) expect(Object.values(ADA)).not.toContain(key.toString('hex'))
})
