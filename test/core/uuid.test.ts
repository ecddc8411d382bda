import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { formatUuid, isUuid, readUuid, readUuidBytes } from '../../src/core/uuid.js'

const UUID = '0188f7a2-0b3c-7def-8123-456789abcdef'

describe('a UUID', () => {
  it.each([UUID, UUID.toUpperCase(), '00000000-0000-0000-0000-000000000000'])('may be spelled %s', (text) => {
    expect(isUuid(text)).toBe(true)
  })

  it('has a hexadecimal digit or a hyphen at each of its 36 places, and nothing else', () => {
    for (let at = 0; at < UUID.length; at++) {
      for (const other of ['g', '-', '0', ' ', '\0', '＀', 'İ', '/', ':', '@', '`']) {
        if ((other === '-' || other === '0') && (UUID[at] === '-') === (other === '-')) continue
        expect(isUuid(UUID.slice(0, at) + other + UUID.slice(at + 1)), `${other} at ${at}`).toBe(false)
      }
    }
  })

  it.each([
    ['a line feed after it', `${UUID}\n`],
    ['a brace around it', `{${UUID}}`],
    ['a digit too few', UUID.slice(1)],
    ['no hyphens', UUID.replaceAll('-', '')],
    ['nothing', ''],
    ['an array of one', [UUID]],
    ['no value', undefined],
  ])('is not what has %s', (_, value) => {
    expect(isUuid(value)).toBe(false)
  })

  it('reads the same from text and from bytes, and is written as it was', () => {
    const [fromText, fromBytes] = [new Uint32Array(4), new Uint32Array(4)]
    for (const uuid of [UUID, ...Array.from({ length: 50 }, () => randomUUID())]) {
      expect(readUuid(uuid, fromText)).toBe(true)
      expect(readUuidBytes(Buffer.from(uuid.replaceAll('-', ''), 'hex'), fromBytes)).toBe(true)
      expect(fromBytes).toEqual(fromText)
      expect(formatUuid(fromText)).toBe(uuid)
    }
  })
})
