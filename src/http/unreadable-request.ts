import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { RefusedRequest } from '../core/auth-event.js'
import { PROBLEM_TYPE, problemOf } from '../core/problem.js'

type Reason = Extract<RefusedRequest['reason'], 'headers_too_large' | 'request_timeout' | 'malformed_request'>

/** So long may a client take to read its refusal and close; its connection must not outlive that. */
const LINGER_MS = 2_000

export interface UnreadableRequests {
  /** To be told of every request that could be read, in order. */
  noteReply(socket: Socket, reply: ServerResponse): void
  /** Answers what Node's HTTP parser could not read, then closes the connection. */
  answer(error: NodeJS.ErrnoException, socket: Socket): void
}

export function createUnreadableRequests(
  constantHeaders: Readonly<Record<string, string>>,
  onRequestRefused: (refused: RefusedRequest) => void,
): UnreadableRequests {
  const replies = new WeakMap<Socket, { last: ServerResponse; before: ServerResponse | undefined }>()
  const answered = new WeakSet<Socket>()

  function refuse(socket: Socket, reason: Reason): void {
    if (!socket.writable) return
    const requestId = randomUUID()
    socket.end(refusalText(reason, requestId, constantHeaders))
    // Of a proxy, where there is one: what it says of its client stands in what could not be read.
    onRequestRefused({ requestId, address: socket.remoteAddress ?? '', reason, operation: null })
    socket.setTimeout(LINGER_MS)
  }

  return {
    noteReply(socket, reply) {
      const noted = replies.get(socket)
      if (noted) {
        noted.before = noted.last
        noted.last = reply
      } else replies.set(socket, { last: reply, before: undefined })
    },
    answer(error, socket) {
      if (error.code === 'ECONNRESET' || !socket.writable) {
        socket.destroy()
        return
      }
      // The parser complains again of everything that follows.
      if (answered.has(socket)) return
      answered.add(socket)
      const { last, before } = replies.get(socket) ?? {}
      const isRestOfLast = last?.req.complete === false
      const isAnswered = isRestOfLast && last.headersSent
      const close = (): void => (isAnswered ? void socket.end() : refuse(socket, reasonOf(error)))
      // Replies come in the order of requests (RFC 9112 §9.3.2): ahead of its turn, a refusal would pass for another's.
      const earlier = isRestOfLast && !isAnswered ? before : last
      if (earlier?.writableFinished === false) earlier.once('close', close)
      else close()
    },
  }
}

function reasonOf({ code }: NodeJS.ErrnoException): Reason {
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large'
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request_timeout' : 'malformed_request'
}

function refusalText(
  code: Reason,
  requestId: string,
  constantHeaders: Readonly<Record<string, string>>,
): string {
  const problem = problemOf(code, requestId)
  const body = JSON.stringify(problem)
  const headers = {
    ...constantHeaders,
    'x-request-id': requestId,
    'content-type': PROBLEM_TYPE,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  }
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${problem.status} ${problem.title}\r\n${head.join('')}\r\n${body}`
}
