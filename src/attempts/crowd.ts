import { Refusal } from '../errors.js'

/** Attempts under way here under one key. */
interface Crowd {
  readonly underWay: Set<Promise<unknown>>
  givenBack: number
  /** Those under way, and those who wait for them. */
  present: number
}

/** `noteGivenBack` is to be called when the attempt turns out not to count. */
type AttemptWork<T> = (noteGivenBack: () => void) => Promise<T>

/**
 * Attempts count before their outcome is known, so parallel log-ins with the right password would refuse each other. Of
 * the attempts under one key that this node has under way, one that is refused waits for the others, and is made again
 * if any of them has been given back.
 */
export function createCrowds(): <T>(key: string, attempt: AttemptWork<T>) => Promise<T> {
  const crowds = new Map<string, Crowd>()

  async function join<T>(crowd: Crowd, attempt: AttemptWork<T>): Promise<T> {
    const work = attempt(() => {
      crowd.givenBack++
    })
    crowd.underWay.add(work)
    try {
      return await work
    } finally {
      crowd.underWay.delete(work)
    }
  }

  async function joinAgain<T>(crowd: Crowd, attempt: AttemptWork<T>): Promise<T> {
    for (;;) {
      const before = crowd.givenBack
      try {
        return await join(crowd, attempt)
      } catch (error) {
        if (!(error instanceof Refusal && error.code === 'too_many_attempts')) throw error
        if (crowd.givenBack === before) await Promise.allSettled(crowd.underWay)
        if (crowd.givenBack === before) throw error
      }
    }
  }

  return async (key, attempt) => {
    const crowd = crowds.get(key) ?? { underWay: new Set(), givenBack: 0, present: 0 }
    crowds.set(key, crowd)
    crowd.present++
    try {
      return await joinAgain(crowd, attempt)
    } finally {
      if (--crowd.present === 0) crowds.delete(key)
    }
  }
}
