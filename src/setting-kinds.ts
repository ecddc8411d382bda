/** One environment variable: what it may hold and what it means. README and `.env.example` are made from these. */
export interface Setting<Value> {
  /** As text, as it would stand in the environment; null where there is none. */
  readonly default: string | null
  readonly expected: string
  readonly description: string
  /** May also come from the file named by `<NAME>_FILE`; its value is never printed. */
  readonly isSecret: boolean
  /** Throws an Error whose message completes "NAME …". */
  readonly parse: (text: string) => Value
}

interface Wording {
  readonly default: string | null
  readonly expected: string
  readonly description: string
}

export const setting = <Value>(wording: Wording, parse: (text: string) => Value): Setting<Value> => ({
  ...wording,
  isSecret: false,
  parse,
})

export const secret = <Value>(wording: Wording, parse: (text: string) => Value): Setting<Value> => ({
  ...wording,
  isSecret: true,
  parse,
})

export function oneOf<const Choice extends string>(
  choices: readonly Choice[],
  fallback: NoInfer<Choice>,
  description: string,
): Setting<Choice> {
  const expected = choices.join(' or ')
  return setting({ default: fallback, expected, description }, (text) => {
    const choice = choices.find((candidate) => candidate === text)
    if (choice === undefined) throw new Error(`must be ${expected}`)
    return choice
  })
}

export function onOff(fallback: 'on' | 'off', description: string): Setting<boolean> {
  const { parse, ...wording } = oneOf(['on', 'off'], fallback, description)
  return { ...wording, parse: (text) => parse(text) === 'on' }
}

export function integer(fallback: number, least: number, most: number, description: string): Setting<number> {
  const expected = `a whole number from ${least} to ${most}`
  return setting({ default: String(fallback), expected, description }, (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= least && value <= most)) throw new Error(`must be ${expected}`)
    return value
  })
}

export const perMinute = (fallback: number, description: string): Setting<number> =>
  integer(fallback, 1, 1_000_000_000, description)

export function text(fallback: string, expected: string, description: string): Setting<string> {
  return setting({ default: fallback, expected, description }, (value) => value)
}
