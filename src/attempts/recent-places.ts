import type { Place } from './attempt.js'

/** Known places in memory, for moments at which the database must not be asked. */
export interface RecentPlaces {
  note(place: Place): void
  has(place: Place): boolean
}

/** Past `limit` places, those that were noted longest ago are forgotten. */
export function createRecentPlaces(limit: number): RecentPlaces {
  // In the order of their notes.
  const places = new Set<string>()
  const textOf = ({ pair }: Place): string => pair.toString('base64url')
  return {
    note(place) {
      const text = textOf(place)
      places.delete(text)
      places.add(text)
      if (places.size <= limit) return
      const [oldest = text] = places
      places.delete(oldest)
    },
    has: (place) => places.has(textOf(place)),
  }
}
