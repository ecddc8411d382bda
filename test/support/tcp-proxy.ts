import { once } from 'node:events'
import net from 'node:net'
import { onTestFinished } from 'vitest'

/** What stands between Keyward and its database: an honest line, one that swallows everything, or none at all. */
type Mode = 'forward' | 'blackhole' | 'refuse'

export interface TcpProxy {
  readonly port: number
  switchTo(mode: Mode): Promise<void>
  /** Bytes that clients have sent into the black hole since it was switched on. */
  swallowed(): number
}

/** A line to a port of this machine that a test can break in several ways. It is gone when the test ends. */
export async function startTcpProxy(targetPort: number, firstMode: Mode = 'forward'): Promise<TcpProxy> {
  let mode: Mode = firstMode
  let swallowed = 0
  const sockets = new Set<net.Socket>()

  const server = net.createServer((client) => {
    const upstream = net.connect(targetPort, '127.0.0.1')
    relay(client, upstream, (bytes) => {
      swallowed += bytes
    })
    relay(upstream, client, () => {})
  })

  function relay(from: net.Socket, to: net.Socket, swallow: (bytes: number) => void): void {
    sockets.add(from)
    from.on('data', (chunk) => {
      if (mode === 'blackhole') swallow(chunk.length)
      else if (to.writable) to.write(chunk)
    })
    from.on('error', () => from.destroy())
    from.on('close', () => {
      sockets.delete(from)
      // In a black hole not even the end of a connection gets through.
      if (mode !== 'blackhole') to.destroy()
    })
  }

  /** What has lost bytes is of no more use; a reset is what a client of it would get to see. */
  function breakConnections(): void {
    for (const socket of sockets) {
      sockets.delete(socket)
      socket.resetAndDestroy()
    }
  }

  async function listen(port: number): Promise<number> {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as net.AddressInfo).port
  }

  async function stopListening(): Promise<void> {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    breakConnections()
    await closed
  }

  const port = await listen(0)
  if (firstMode === 'refuse') await stopListening()
  onTestFinished(stopListening)
  return {
    port,
    swallowed: () => swallowed,
    async switchTo(next) {
      swallowed = 0
      if (mode === 'blackhole') breakConnections()
      mode = next
      if (next === 'refuse') await stopListening()
      else if (!server.listening) await listen(port)
    },
  }
}
