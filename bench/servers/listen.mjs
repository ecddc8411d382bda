// What the bare servers share: plain node:http on a free port, announced in the way Keyward does.
import { createServer } from 'node:http'

export function listen(handler) {
  const server = createServer(handler).listen(0, '127.0.0.1', () =>
    announce(`http://127.0.0.1:${server.address().port}`),
  )
}

export function announce(url) {
  console.log(JSON.stringify({ msg: 'listening', url }))
}

export function answer(response, status, value) {
  const body = JSON.stringify(value)
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
}
