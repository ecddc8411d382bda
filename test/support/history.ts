/** Milliseconds on one clock that all clients share. `from`: before the request was sent; `to`: after its reply. */
interface Timed {
  readonly from: number
  readonly to: number
}

/** What a client has seen happen. */
export type Step = Timed &
  (
    | { readonly kind: 'opened'; readonly session: string; readonly password: string }
    /** `node` is the one that acknowledged it; null when it was done in the database. */
    | {
        readonly kind: 'ended'
        readonly sessions: readonly string[]
        readonly node: string | null
        readonly by: string
      }
    | { readonly kind: 'accepted'; readonly session: string; readonly node: string }
    | {
        readonly kind: 'refreshed'
        readonly session: string
        readonly presented: string
        readonly child: string
      }
    | {
        readonly kind: 'password-changed'
        readonly password: string
        readonly node: string
        /** The session that made the change goes on. */
        readonly kept: string
      }
  )

type Of<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>

/** An end is known where it was acknowledged at once, and everywhere else after this time. */
const PROPAGATION_MS = 1_000

/** Everything in a history that must not have happened, in words. */
export function findViolations(history: readonly Step[]): string[] {
  const only = <Kind extends Step['kind']>(kind: Kind) =>
    history.filter((step): step is Of<Kind> => step.kind === kind)
  const endsBySession = groupBy(
    only('ended').flatMap((end) => end.sessions.map((session) => ({ session, end }))),
    ({ session }) => session,
  )
  const changesByPassword = groupBy(only('password-changed'), ({ password }) => password)
  const openings = only('opened')
  const passwordOf = new Map(openings.map(({ session, password }) => [session, password]))

  return [
    ...only('accepted').flatMap((accepted) => {
      const isKnown = (cause: { to: number; node: string | null }): boolean =>
        cause.to + (cause.node === accepted.node ? 0 : PROPAGATION_MS) < accepted.from
      const ended = (endsBySession.get(accepted.session) ?? []).find(({ end }) => isKnown(end))
      const changed = (changesByPassword.get(passwordOf.get(accepted.session) ?? '') ?? []).find(
        (change) => change.kept !== accepted.session && isKnown(change),
      )
      return [
        ...(ended ? [`session ${accepted.session} was accepted after its end by ${ended.end.by}`] : []),
        ...(changed ? [`session ${accepted.session} outlived the password that opened it`] : []),
      ]
    }),
    ...only('refreshed').flatMap((refreshed) =>
      (endsBySession.get(refreshed.session) ?? [])
        .filter(({ end }) => end.to < refreshed.from)
        .map(({ end }) => `session ${refreshed.session} was refreshed after its end by ${end.by}`),
    ),
    ...[...groupBy(only('refreshed'), ({ presented }) => presented).values()].flatMap((uses) =>
      new Set(uses.map(({ child }) => child)).size > 1
        ? [`session ${uses[0]?.session} forked: one refresh token has two children`]
        : [],
    ),
    ...openings.flatMap((opened) =>
      (changesByPassword.get(opened.password) ?? []).some((change) => change.to < opened.from)
        ? [`session ${opened.session} was opened with a password that had been changed`]
        : [],
    ),
  ]
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group) group.push(item)
    else groups.set(keyOf(item), [item])
  }
  return groups
}
