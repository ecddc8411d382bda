/** Errors that nobody has caught, until restored; otherwise each would end the run of the tests. */
export function catchUncaught(): [unknown[], () => void] {
  const uncaught: unknown[] = []
  const note = (error: unknown): void => void uncaught.push(error)
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException').on('uncaughtException', note)
  return [
    uncaught,
    () => {
      process.removeListener('uncaughtException', note)
      for (const listener of others) process.on('uncaughtException', listener)
    },
  ]
}
