import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll } from 'vitest'

/** An HTTP server for the tests of a file, on a port of its own. */
export function useSmallServer(
  answer: (request: http.IncomingMessage, response: http.ServerResponse) => Promise<void>,
): { readonly url: string } {
  const address = { url: '' }
  const server = http.createServer((request, response) => void answer(request, response))
  beforeAll(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    address.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  return address
}
