import { once } from 'node:events'
import fs, { type ReadStream } from 'node:fs'
import { expect, onTestFinished, test, vi } from 'vitest'
import { waitUntil } from '../support/wait-until.js'
import { statusesOf, useListeningApp } from './raw-socket.js'

/** How many lists of sessions were being read when each of them was begun, itself included. */
const listsAtOnce: number[] = []
let listsBegun = 0
let listsRead = 0

const { app, open, exchange } = useListeningApp({
  intercept: (database) => ({
    ...database,
    async query(text, ...values) {
      const isList = text.includes('order by created_at desc')
      if (isList) listsAtOnce.push(++listsBegun - listsRead)
      const rows = await database.query(text, ...values)
      if (isList) listsRead++
      return rows as never
    },
  }),
})

const COUNT = 50
const requestFor = (file: string, headers = ''): string =>
  `GET /docs/static/${file} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`

/** The files that are opened from now on, and how many of them were open at once at most. */
function watchFiles() {
  const files: ReadStream[] = []
  const atOnce: number[] = []
  const { createReadStream } = fs
  const spy = vi.spyOn(fs, 'createReadStream').mockImplementation((...values) => {
    const file = createReadStream(...values)
    files.push(file)
    atOnce.push(files.filter(({ closed }) => !closed).length)
    return file
  })
  onTestFinished(() => spy.mockRestore())
  return { files, most: () => Math.max(...atOnce) }
}

test('a client that asks for a file many times at once and hangs up leaves none of them open', async () => {
  const { files } = watchFiles()
  const { socket, closed } = await open()
  socket.write(requestFor('swagger-ui-bundle.js').repeat(COUNT))
  await once(socket, 'data')
  socket.destroy()
  await closed
  // By when it has its file, the others would have theirs.
  await exchange(requestFor('swagger-ui-bundle.js', 'Connection: close\r\n'))
  await waitUntil('all are closed', () => files.every((file) => file.closed))
})

test('of files that are asked for at once few are open at a time, and all arrive', async () => {
  const { files, most } = watchFiles()
  const last = requestFor('swagger-ui.css', 'Connection: close\r\n')
  const received = await exchange(requestFor('swagger-ui.css').repeat(COUNT - 1) + last)
  expect(statusesOf(received)).toStrictEqual(Array.from({ length: COUNT }, () => 200))
  expect(files).toHaveLength(COUNT)
  expect(most()).toBeLessThanOrEqual(2)
})

test('lists of sessions that are asked for at once are read one at a time, and all arrive', async () => {
  const { token } = await app.newUser()
  const requestWith = (headers = ''): string =>
    `GET /api/auth/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n${headers}\r\n`
  const received = await exchange(requestWith().repeat(COUNT - 1) + requestWith('Connection: close\r\n'))
  expect(statusesOf(received)).toStrictEqual(Array.from({ length: COUNT }, () => 200))
  expect(listsAtOnce).toStrictEqual(Array.from({ length: COUNT }, () => 1))
})
