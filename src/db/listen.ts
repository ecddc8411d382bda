import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { parseConnectionUrl } from './connection-url.js'

const RECONNECT_MS = 1_000
const CONNECT_TIMEOUT_MS = 5_000
const END_TIMEOUT_MS = 500

export interface ListenOptions {
  /** Told of a notification on one of the channels, and of every channel when the connection was made. */
  readonly onNotify: (channel: string) => void
  /** Told when the connection fails after it worked, or the first time; and when it works again. */
  readonly onFailure: (error: unknown) => void
  readonly onRecovery: () => void
}

export interface Listener {
  stop(): Promise<void>
}

/**
 * Calls `onNotify` for every notification on these channels, over a connection of its own that is opened again when it
 * breaks. Only a wake-up: what is missed while it is away, or swallowed by a pooler, has to be polled for.
 */
export function listen(
  url: string,
  channels: readonly string[],
  { onNotify, onFailure, onRecovery }: ListenOptions,
): Listener {
  const { connectionString, ssl } = parseConnectionUrl(url)
  let client: pg.Client | null = null
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let failing = false

  function reportFailure(error: unknown): void {
    if (!failing && !stopped) onFailure(error)
    failing = true
  }

  function reconnectLater(): void {
    client = null
    if (stopped) return
    clearTimeout(timer)
    timer = setTimeout(() => void connect(), RECONNECT_MS)
    timer.unref()
  }

  async function connect(): Promise<void> {
    const next = new pg.Client({
      connectionString,
      ssl,
      application_name: 'keyward feed',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
    })
    client = next
    next.on('error', reportFailure)
    next.on('end', () => {
      reportFailure(new Error('The connection ended'))
      reconnectLater()
    })
    next.on('notification', ({ channel }) => onNotify(channel))
    try {
      await next.connect()
      for (const channel of channels) await next.query(`listen ${channel}`)
      // Whatever happened while nobody listened.
      for (const channel of channels) onNotify(channel)
      if (failing) onRecovery()
      failing = false
    } catch (error) {
      reportFailure(error)
      // 'end' follows only on a connection that had been made.
      await next.end().catch(() => {})
      reconnectLater()
    }
  }

  void connect()
  return {
    async stop() {
      stopped = true
      clearTimeout(timer)
      // A server that does not answer any more would never confirm the end.
      await Promise.race([client?.end().catch(() => {}), delay(END_TIMEOUT_MS, undefined, { ref: false })])
    },
  }
}
