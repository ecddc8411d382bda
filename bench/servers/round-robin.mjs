// One port in front of several nodes: each new connection goes to the next of them.
import { connect, createServer } from 'node:net'
import { announce } from './listen.mjs'

const targets = process.env.TARGETS.split(',').map(Number)
let turn = 0

const front = createServer({ noDelay: true }, (client) => {
  const node = connect({ port: targets[turn++ % targets.length], host: '127.0.0.1', noDelay: true })
  client.pipe(node).pipe(client)
  client.on('error', () => node.destroy())
  node.on('error', () => client.destroy())
})
front.listen(0, '127.0.0.1', () => announce(`http://127.0.0.1:${front.address().port}`))
