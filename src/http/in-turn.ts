import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * A hook for large replies: pipelined requests come in one after another, each when the replies before its own are sent.
 * All at once, they would hold a file or a copy each, and files behind a client's hang-up for ever: Node closes only the
 * reply whose turn it is.
 */
export function comeInTurn(_request: FastifyRequest, { raw }: FastifyReply, done: () => void): void {
  if (raw.socket !== null) done()
  else raw.once('socket', () => done())
}
