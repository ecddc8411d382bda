/** A guard that refuses everything must not leave its operator in the dark; once is enough until it changes. */
export function createWarner(cannot: string): (error: unknown) => void {
  let lastMessage = ''
  return (error) => {
    const { message } = error as Error
    if (message === lastMessage) return
    lastMessage = message
    // oxlint-disable-next-line no-console
    console.warn(`keyward/guard cannot ${cannot}: ${message}`)
  }
}
