import { Refusal } from '../errors.js'

/** Attempts at once under one key. */
interface Crowd {
  underWay: number
  /** Attempts given back that nobody has taken up yet. */
  givenBack: number
  /** Those that were refused and may be made again, if called with true. Who calls counts them as under way. */
  readonly waiting: ((again: boolean) => void)[]
}

/** `noteGivenBack` is to be called when the attempt turns out not to count. */
type AttemptWork<T> = (noteGivenBack: () => void) => Promise<T>

/** Waits for `pause`; may reject before, when the one who waits is turned away or has hung up. */
type StandAside = (pause: Promise<boolean>) => Promise<boolean>

/**
 * Attempts count before their outcome is known, so parallel log-ins with the right password would refuse each other.
 * Here one that is refused waits while others under the same key are under way on this node, and for each of those that
 * is given back, one is made again.
 */
export function createCrowds(
  crowds = new Map<string, Crowd>(),
): <T>(key: string, standAside: StandAside, attempt: AttemptWork<T>) => Promise<T> {
  return async (key, standAside, attempt) => {
    const crowd = crowds.get(key) ?? { underWay: 0, givenBack: 0, waiting: [] }
    crowds.set(key, crowd)
    crowd.underWay++
    try {
      return await repeat(crowd, standAside, attempt)
    } finally {
      if (--crowd.underWay === 0) {
        callAll(crowd)
        if (crowd.underWay === 0) crowds.delete(key)
      }
    }
  }
}

async function repeat<T>(crowd: Crowd, standAside: StandAside, attempt: AttemptWork<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt(() => handOn(crowd))
    } catch (error) {
      const isRefused = error instanceof Refusal && error.code === 'too_many_attempts'
      if (!isRefused || !(await mayRepeat(crowd, standAside))) throw error
    }
  }
}

function handOn(crowd: Crowd): void {
  const next = crowd.waiting.shift()
  if (next === undefined) {
    crowd.givenBack++
  } else {
    crowd.underWay++
    next(true)
  }
}

async function mayRepeat(crowd: Crowd, standAside: StandAside): Promise<boolean> {
  if (crowd.givenBack > 0) {
    crowd.givenBack--
    return true
  }
  if (crowd.underWay === 1) return false
  crowd.underWay--
  let call: (again: boolean) => void = () => {}
  const called = new Promise<boolean>((resolve) => {
    call = resolve
  })
  crowd.waiting.push(call)
  try {
    return await standAside(called)
  } catch (error) {
    await leave(crowd, call, called)
    throw error
  }
}

/** Counts as under way again, as whoever is called does; what it was called for is for somebody else. */
async function leave(crowd: Crowd, call: (again: boolean) => void, called: Promise<boolean>): Promise<void> {
  const position = crowd.waiting.indexOf(call)
  if (position >= 0) {
    crowd.waiting.splice(position, 1)
    crowd.underWay++
  } else if (await called) {
    handOn(crowd)
  }
}

/** Nobody is under way any more who could give an attempt back. */
function callAll(crowd: Crowd): void {
  for (const call of crowd.waiting.splice(0)) {
    crowd.underWay++
    call(false)
  }
}
