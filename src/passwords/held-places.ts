/** Where a request comes from: its address as one client, and the network around that. */
export interface Origin {
  readonly block: string
  readonly network: string
}

/** How many places are held from where. */
export interface HeldPlaces {
  add(origin: Origin): void
  remove(origin: Origin): void
  has(block: string): boolean
  /**
   * The clients that hold so many more than this one that one of theirs is its due, those that are furthest ahead first.
   * Networks compare what all of their clients hold together; only within one do the clients compare.
   */
  ahead(origin: Origin): string[]
}

export function createHeldPlaces(): HeldPlaces {
  const clients = new Map<string, { readonly network: string; readonly count: number }>()
  const inNetwork = new Map<string, number>()

  function change({ block, network }: Origin, by: number): void {
    const [count, total] = [(clients.get(block)?.count ?? 0) + by, (inNetwork.get(network) ?? 0) + by]
    if (count > 0) clients.set(block, { network, count })
    else clients.delete(block)
    if (total > 0) inNetwork.set(network, total)
    else inNetwork.delete(network)
  }

  return {
    add: (origin) => change(origin, 1),
    remove: (origin) => change(origin, -1),
    has: (block) => clients.has(block),
    ahead({ block, network }) {
      const own = { count: clients.get(block)?.count ?? 0, total: inNetwork.get(network) ?? 0 }
      return [...clients]
        .map(([other, held]) => {
          const isNeighbour = held.network === network
          const lead = isNeighbour ? held.count - own.count : (inNetwork.get(held.network) ?? 0) - own.total
          return { other, lead, count: held.count }
        })
        .filter(({ lead }) => lead > 1)
        .toReversed()
        .sort((a, b) => b.lead - a.lead || b.count - a.count)
        .map(({ other }) => other)
    },
  }
}
