import pino, { type DestinationStream, type Logger } from 'pino'
import { toAddressBlock } from './core/address-block.js'
import type { AuthEventName, RecordEvent, RefusedRequest, RequestContext } from './core/auth-event.js'
import { createMemo } from './core/memo.js'
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
  return (event, { requestId, address }, { userId, sessionId, reason, operation, count }) => {
    log.info({
      event,
      request_id: requestId,
      address,
      ...(userId && { user_id: userId }),
      ...(sessionId && { session_id: sessionId }),
      ...(reason && { reason }),
      ...(operation && { operation }),
      ...(count !== undefined && { count }),
    })
  }
}

export const TALLY_INTERVAL_MS = 1_000

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
  return tallyFloods(TALLY_INTERVAL_MS, (context, count) => recordEvent(event, context, { count }))
}

/** The shortest time between two lines for one client and one reason. */
export const REFUSAL_INTERVAL_MS = 60_000
/** Clients and reasons told apart, and so the most lines in that time. */
export const MAX_REFUSAL_LINES = 1_000

/** The same for each client and reason by itself. Of those past `MAX_REFUSAL_LINES` only the number is logged. */
export function createRefusedRequestTally(
  recordEvent: RecordEvent,
  log: Log,
): (refused: RefusedRequest) => void {
  const clientOf = createMemo(MAX_REFUSAL_LINES, toAddressBlock)
  const tallies = new Map<string, (refused: RefusedRequest) => void>()
  const countFurther = createTally(log, 'requests refused: of more clients than are logged one by one')
  return (refused) => {
    const { reason, address } = refused
    const key = `${reason} ${clientOf(address)}`
    let note = tallies.get(key)
    if (note === undefined) {
      if (tallies.size >= MAX_REFUSAL_LINES) return countFurther()
      note = tallyFloods<RefusedRequest>(
        REFUSAL_INTERVAL_MS,
        (last, count) => recordEvent('request_refused', last, { ...last, count }),
        () => tallies.delete(key),
      )
      tallies.set(key, note)
    }
    note(refused)
  }
}

/** Writes the first at once, then one for all of each interval; `onQuiet` when there was none in it. */
function tallyFloods<Noted>(
  intervalMs: number,
  write: (last: Noted, count: number) => void,
  onQuiet: () => void = () => {},
): (noted: Noted) => void {
  let last: Noted | null = null
  let count = 0
  let timer: NodeJS.Timeout | null = null
  const start = (): void => {
    last = null
    count = 0
    timer = setTimeout(end, intervalMs).unref()
  }
  const end = (): void => {
    timer = null
    if (last === null) return onQuiet()
    write(last, count)
    start()
  }
  return (noted) => {
    if (timer === null) {
      write(noted, 1)
      start()
    } else {
      last = noted
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
