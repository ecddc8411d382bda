/** Those who wait, grouped: within a group in the order of arrival, and one from each group after another. */
export interface FairLine<Entry> extends Iterable<Entry> {
  join(group: string, entry: Entry): void
  leave(group: string, entry: Entry): void
  /** Takes out who comes next. */
  next(): Entry | undefined
  /** Who came last of a group. */
  lastOf(group: string): Entry | undefined
}

export function createFairLine<Entry>(): FairLine<Entry> {
  // A Map keeps the order in which its keys were set: the first group is the one whose turn it is.
  const groups = new Map<string, Entry[]>()

  function leave(group: string, entry: Entry): void {
    const rest = groups.get(group)?.filter((other) => other !== entry) ?? []
    if (rest.length > 0) groups.set(group, rest)
    else groups.delete(group)
  }

  return {
    join(group, entry) {
      const entries = groups.get(group)
      if (entries) entries.push(entry)
      else groups.set(group, [entry])
    },
    leave,
    next() {
      for (const [group, entries] of groups) {
        const entry = entries.shift()
        groups.delete(group)
        if (entries.length > 0) groups.set(group, entries)
        return entry
      }
      return undefined
    },
    lastOf: (group) => groups.get(group)?.at(-1),
    *[Symbol.iterator]() {
      for (const entries of groups.values()) yield* entries
    },
  }
}
