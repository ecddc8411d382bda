import { ERRORS, type ErrorCode, type FieldError } from '../errors.js'

/**
 * Why a call failed: a code of Keyward's, `network_error` when no answer arrived, or `unexpected_reply` when something
 * else than Keyward seems to have answered.
 */
export type KeywardErrorCode = ErrorCode | 'network_error' | 'unexpected_reply'

interface Circumstances {
  readonly status?: number | undefined
  readonly errors?: readonly FieldError[] | undefined
  readonly retryAfterSeconds?: number | undefined
  readonly requestId?: string | undefined
  readonly cause?: unknown
}

const TEXT = {
  network_error: 'Keyward could not be reached',
  unexpected_reply: 'The answer is not one of Keyward’s',
} as const

/** Every failure of the client but an abort, which rejects with the signal's own reason. */
export class KeywardError extends Error {
  override readonly name = 'KeywardError'
  readonly code: KeywardErrorCode
  /** The HTTP status; undefined with `network_error`. */
  readonly status: number | undefined
  /** With `validation_failed`: every field that is wrong, and why. Otherwise empty. */
  readonly errors: readonly FieldError[]
  /** Seconds after which another attempt makes sense (RFC 9110 §10.2.3). */
  readonly retryAfterSeconds: number | undefined
  /** Names the request in Keyward's log. */
  readonly requestId: string | undefined

  constructor(code: KeywardErrorCode, circumstances: Circumstances = {}) {
    const { status, errors = [], retryAfterSeconds, requestId, cause } = circumstances
    super(isErrorCode(code) ? ERRORS[code].detail : TEXT[code], cause === undefined ? undefined : { cause })
    this.code = code
    this.status = status ?? (isErrorCode(code) ? ERRORS[code].status : undefined)
    this.errors = errors
    this.retryAfterSeconds = retryAfterSeconds
    this.requestId = requestId
  }
}

/** What a refusal says; `unexpected_reply` when it is no problem document of a code known here (RFC 9457). */
export function readRefusal({ status, headers }: Response, body: unknown): KeywardError {
  const { code, errors, request_id } = (body ?? {}) as Record<string, unknown>
  return new KeywardError(isErrorCode(code) ? code : 'unexpected_reply', {
    status,
    errors: Array.isArray(errors) ? errors : undefined,
    retryAfterSeconds: readRetryAfter(headers.get('retry-after')),
    requestId: typeof request_id === 'string' ? request_id : undefined,
  })
}

/** An HTTP date, the other form, is left out: only a clock as right as the server's could make seconds of it. */
function readRetryAfter(value: string | null): number | undefined {
  return value !== null && /^\d{1,9}$/.test(value) ? Number(value) : undefined
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code)
}

/** The refusals of an access token against which another one may help. */
export const isTokenCode = (code: unknown): boolean => code === 'token_expired' || code === 'invalid_token'
