import { expect, test } from 'vitest'
import { createMemo } from '../../src/core/memo.js'

/** What `compute` was asked, in order. */
function createAsked(limit: number) {
  const asked: string[] = []
  const remember = createMemo(limit, (text) => {
    asked.push(text)
    return text === 'yes'
  })
  return { asked, remember }
}

test('a text is computed once, whatever comes out, as long as there is room', () => {
  const { asked, remember } = createAsked(2)
  for (let i = 0; i < 3; i++) {
    expect(remember('yes')).toBe(true)
    expect(remember('no')).toBe(false)
  }
  expect(asked).toEqual(['yes', 'no'])
})

test('one text too many makes it begin anew, with that one', () => {
  const { asked, remember } = createAsked(2)
  for (const text of ['yes', 'no', 'third', 'third', 'yes', 'third']) {
    expect(remember(text)).toBe(text === 'yes')
  }
  expect(asked).toEqual(['yes', 'no', 'third', 'yes'])
})
