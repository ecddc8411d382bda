import { expect, test } from 'vitest'
import { parseJsonObject } from '../../src/core/json.js'

const parse = (text: string) => parseJsonObject(Buffer.from(text))

test('an object is read, and of two members of one name the last one', () => {
  expect(parse(' {"a":{"b":[1]},"ü":"\\u00fc"} ')).toEqual({ a: { b: [1] }, ü: 'ü' })
  expect(parse('{"a":1,"a":2}')).toEqual({ a: 2 })
})

test.each(['null', '1', 'true', '"text"', '[]', '[{}]', '', '{', '{}{}', "{'a':1}", '\uFEFF{}'])(
  '%j is no object',
  (text) => {
    expect(parse(text)).toBeNull()
  },
)

test('an object in other bytes than UTF-8 is none', () => {
  expect(parseJsonObject(Buffer.from('{"a":"\xff"}', 'latin1'))).toBeNull()
  expect(parseJsonObject(Buffer.from('{"a":1}', 'utf16le'))).toBeNull()
})
