export interface CatchUpOptions {
  readonly read: () => Promise<void>
  /** Told when reading begins to fail, and when it works again. */
  readonly onFailure: (error: unknown) => void
  readonly onRecovery: () => void
}

/** Keeps something in memory in step with a database that others change. */
export interface CatchUp {
  /**
   * Resolves, or rejects, with a read that began after this call: the one under way may have missed what was just
   * committed. Who calls meanwhile shares the next one.
   */
  catchUp(): Promise<void>
  /** Whether the latest read has failed. */
  isFailing(): boolean
  /** Resolves when no read is under way any more; never rejects. */
  settled(): Promise<void>
}

/** One read at a time. */
export function createCatchUp({ read, onFailure, onRecovery }: CatchUpOptions): CatchUp {
  let running: Promise<void> | null = null
  let following: Promise<void> | null = null
  let failing = false

  async function readAndReport(): Promise<void> {
    try {
      await read()
      if (failing) onRecovery()
      failing = false
    } catch (error) {
      if (!failing) onFailure(error)
      failing = true
      throw error
    }
  }

  function catchUp(): Promise<void> {
    if (running === null) {
      running = readAndReport().finally(() => {
        running = null
      })
      return running
    }
    following ??= running
      .catch(() => {})
      .then(() => {
        following = null
        return catchUp()
      })
    return following
  }

  return {
    catchUp,
    isFailing: () => failing,
    settled: async () => (following ?? running)?.catch(() => {}),
  }
}
