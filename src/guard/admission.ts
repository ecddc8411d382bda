import type { Principal } from '../core/access-token.js'
import { challengeFor } from '../core/challenge.js'
import { PROBLEM_TYPE, problemOf } from '../core/problem.js'
import { ERRORS, type ErrorCode, Refusal } from '../errors.js'
import type { Guard, GuardVerdict } from './guard.js'

/** What becomes of a request; the same in every framework. */
export type Admission =
  /** The principal is null for a request without credentials, where they are optional. */
  | { readonly kind: 'admitted'; readonly principal: Principal | null }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly reply: RefusalReply }
  /** The guard itself failed. For the application's error handler; what happened is the `cause`, out of clients' sight. */
  | { readonly kind: 'failed'; readonly error: Refusal }

export interface RefusalReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface AdmissionOptions {
  /** Let requests without any credentials go on; useless ones are refused all the same. Default false. */
  readonly optional?: boolean | undefined
}

/** For the refusals that pass by themselves: `revocation_stale` and `keys_unavailable`. */
const RETRY_AFTER_SECONDS = '1'

/**
 * Asks the guard about a request. Never throws and never rejects, whatever the guard does: only a verdict admits anybody.
 * A promise comes back only when the guard gave one.
 */
export function admit(
  guard: Guard,
  authorization: string | null | undefined,
  { optional }: AdmissionOptions,
  requestId?: string,
): Admission | Promise<Admission> {
  try {
    const verdict = guard.check(authorization)
    if (!(verdict instanceof Promise)) return toAdmission(verdict, optional, requestId)
    return verdict.then((late) => toAdmission(late, optional, requestId)).catch(toFailure)
  } catch (error) {
    return toFailure(error)
  }
}

function toAdmission(
  verdict: GuardVerdict,
  optional: boolean | undefined,
  requestId: string | undefined,
): Admission {
  if (verdict.ok) return { kind: 'admitted', principal: verdict.principal }
  const isAnonymous = verdict.code === 'not_authenticated' && verdict.anonymous
  // Only `true`: text such as 'false', past the type checker, must not open a route.
  if (isAnonymous && optional === true) return { kind: 'admitted', principal: null }
  return { kind: 'refused', code: verdict.code, reply: replyTo(verdict.code, requestId) }
}

const toFailure = (cause: unknown): Admission => ({
  kind: 'failed',
  error: new Refusal('internal_error', { cause }),
})

function replyTo(code: ErrorCode, requestId: string | undefined): RefusalReply {
  const challenge = challengeFor(code)
  return {
    status: ERRORS[code].status,
    headers: {
      'content-type': PROBLEM_TYPE,
      'cache-control': 'no-store',
      ...(challenge === undefined
        ? { 'retry-after': RETRY_AFTER_SECONDS }
        : { 'www-authenticate': challenge }),
    },
    body: JSON.stringify(problemOf(code, requestId)),
  }
}
