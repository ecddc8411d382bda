/** Remembers what `compute` returned for up to `limit` texts; with one more, it begins anew. */
export function createMemo<Value extends string | boolean>(
  limit: number,
  compute: (text: string) => Value,
): (text: string) => Value {
  let known = new Map<string, Value>()
  return (text) => {
    let value = known.get(text)
    if (value === undefined) {
      value = compute(text)
      if (known.size >= limit) known = new Map()
      known.set(text, value)
    }
    return value
  }
}
