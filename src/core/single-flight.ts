/** Who asks while an answer is on its way gets that one, so that a crowd costs no more than one who asks in turn. */
export function createSingleFlight<Answer>(ask: () => Promise<Answer>): () => Promise<Answer> {
  let asking: Promise<Answer> | null = null
  return () => {
    asking ??= ask().finally(() => {
      asking = null
    })
    return asking
  }
}
