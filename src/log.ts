import pino, { type DestinationStream, type Logger } from 'pino'
import type { AuthEventName, RecordEvent, RequestContext } from './core/auth-event.js'
import { escapeControls } from './core/text.js'
import type { LOG_LEVELS } from './settings.js'

export type Log = Logger
export type LogLevel = (typeof LOG_LEVELS)[number]

/** JSON, one object a line, times in UTC. Writes to standard output unless a destination is given. */
export function createLog(level: LogLevel, destination?: DestinationStream): Log {
  const options: pino.LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: describeError },
    // pino escapes as little as JSON allows.
    hooks: { streamWrite: (line) => `${escapeControls(line.slice(0, -1))}\n` },
  }
  return destination ? pino(options, destination) : pino(options)
}

/** Writes security events to the log, under one vocabulary of field names. */
export function createEventRecorder(log: Log): RecordEvent {
  return (event, context, { userId, sessionId, reason, count }) => {
    log.info({
      event,
      request_id: context.requestId,
      address: context.address,
      ...(userId && { user_id: userId }),
      ...(sessionId && { session_id: sessionId }),
      ...(reason && { reason }),
      ...(count !== undefined && { count }),
    })
  }
}

const TALLY_INTERVAL_MS = 1_000

/** For what comes in floods: one warning a second with how often it happened. */
export function createTally(log: Log, message: string): () => void {
  let count = 0
  const write = (): void => {
    log.warn({ count }, message)
    count = 0
  }
  return () => {
    if (count++ === 0) setTimeout(write, TALLY_INTERVAL_MS).unref()
  }
}

/** For events that come in floods: the first at once, and each second one line for all since, with the last's context. */
export function createEventTally(
  recordEvent: RecordEvent,
  event: AuthEventName,
): (context: RequestContext) => void {
  let latest: RequestContext | null = null
  let count = 0
  let timer: NodeJS.Timeout | null = null
  const write = (): void => {
    timer = null
    if (latest !== null) {
      recordEvent(event, latest, { count })
      start()
    }
  }
  const start = (): void => {
    latest = null
    count = 0
    timer = setTimeout(write, TALLY_INTERVAL_MS).unref()
  }
  return (context) => {
    if (timer === null) {
      recordEvent(event, context, { count: 1 })
      start()
    } else {
      latest = context
      count++
    }
  }
}

interface DescribedError {
  readonly name: string
  readonly message: string
  readonly code?: string
  readonly stack?: string
  readonly cause?: DescribedError
}

/**
 * What of an error may be logged. pino's own serialiser copies every property, and errors of pg carry the row's
 * values in `detail` and `where`.
 */
function describeError(error: unknown): DescribedError {
  if (!(error instanceof Error)) return { name: typeof error, message: 'not an Error' }
  const { code } = error as NodeJS.ErrnoException
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === 'string' && { code }),
    ...(error.stack && { stack: error.stack }),
    ...(error.cause instanceof Error && { cause: describeError(error.cause) }),
  }
}
