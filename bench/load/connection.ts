import { connect, type Socket } from 'node:net'

export interface Reply {
  /** 0 when the connection broke before the reply was complete. */
  readonly status: number
  readonly hasRetryAfter: boolean
}

const HEAD_END = Buffer.from('\r\n\r\n')
const BROKEN: Reply = { status: 0, hasRetryAfter: false }

/**
 * A keep-alive connection with one request under way at most. It reads of a reply what a measurement needs, and so
 * takes little of the CPU that it shares with the server. Replies must have a `Content-Length`.
 */
export class Connection {
  readonly #socket: Socket
  #received: Buffer = Buffer.alloc(0)
  #onReply: ((reply: Reply) => void) | null = null
  isOpen = true

  constructor(url: URL) {
    this.#socket = connect({ port: Number(url.port), host: url.hostname, noDelay: true })
    this.#socket.on('data', (chunk) => this.#receive(chunk))
    // "close" follows, and tells the one who waits.
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => {
      this.isOpen = false
      this.#finish(BROKEN)
    })
  }

  send(request: Buffer, onReply: (reply: Reply) => void): void {
    this.#onReply = onReply
    this.#socket.write(request)
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    const headEnd = this.#received.indexOf(HEAD_END)
    if (headEnd < 0) return
    const head = this.#received.toString('latin1', 0, headEnd)
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
    if (length === undefined) throw new Error(`a reply without Content-Length:\n${head}`)
    if (this.#received.length < headEnd + HEAD_END.length + Number(length)) return
    this.#received = Buffer.alloc(0)
    this.#finish({ status: Number(head.slice(9, 12)), hasRetryAfter: /\r\nretry-after: *\d/i.test(head) })
  }

  #finish(reply: Reply): void {
    const onReply = this.#onReply
    this.#onReply = null
    onReply?.(reply)
  }
}
