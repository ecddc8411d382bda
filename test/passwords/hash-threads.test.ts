import { readFile, readdir } from 'node:fs/promises'
import { getPriority } from 'node:os'
import { Worker } from 'node:worker_threads'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { createHashThreads } from '../../src/passwords/hash-threads.js'
import { nativeHashEngine } from '../support/native-hash-engine.js'
import { skipBecause } from '../support/skip-because.js'

const SALT = Buffer.alloc(16, 7)
const threads = createHashThreads(2)
afterAll(() => threads.close())

describe('hashing in threads', () => {
  test('gives what the same primitives give without them', async () => {
    const hash = await threads.bcryptHash('key', 4, SALT)
    expect(hash).toBe(await nativeHashEngine.bcryptHash('key', 4, SALT))
    expect(await threads.bcryptVerify('key', hash)).toBe(true)
    expect(await threads.bcryptVerify('other', hash)).toBe(false)
    const phc = await threads.argon2idHash('pässword')
    expect(await threads.argon2idVerify('pässword', phc)).toBe(true)
    expect(await nativeHashEngine.argon2idVerify('password', phc)).toBe(false)
  })

  test('a primitive that fails rejects and the thread goes on', async () => {
    await expect(threads.argon2idVerify('password', '$argon2id$nonsense')).rejects.toThrow()
    expect(await threads.bcryptVerify('key', await threads.bcryptHash('key', 4, SALT))).toBe(true)
  })

  test('many more calls than threads are all answered, each with its own result', async () => {
    const keys = Array.from({ length: 40 }, (_, i) => `key ${i}`)
    const hashes = await Promise.all(keys.map((key) => threads.bcryptHash(key, 4, SALT)))
    expect(new Set(hashes).size).toBe(keys.length)
    const verdicts = await Promise.all(keys.map((key, i) => threads.bcryptVerify(key, hashes[(i + 1) % 40]!)))
    expect(verdicts.every((matches) => !matches)).toBe(true)
  })

  test('what a thread was at when it died is rejected, and the next call starts another', async () => {
    const dying = createHashThreads(1)
    const posts = vi.spyOn(Worker.prototype, 'postMessage')
    const lost = expect(dying.bcryptHash('key', 12, SALT)).rejects.toThrow('hash thread')
    const waiting = dying.bcryptHash('key', 4, SALT)
    const worker = posts.mock.contexts[0] as Worker
    posts.mockRestore()
    await worker.terminate()
    await lost
    expect(await waiting).toMatch(/^\$2b\$04\$/)
    await dying.close()
  })

  test('once closed, all that was asked and is asked is rejected', async () => {
    const closing = createHashThreads(1)
    const answers = [12, 12, 4].map((cost) => closing.bcryptHash('key', cost, SALT))
    const rejected = Promise.all(answers.map((answer) => expect(answer).rejects.toThrow('hash thread')))
    await closing.close()
    await rejected
    await expect(closing.bcryptHash('key', 4, SALT)).rejects.toThrow('closed')
  })

  test('only the threads give way to others, not the process', async (context) => {
    if (process.platform !== 'linux') return skipBecause(context, 'thread priorities are read from /proc')
    await threads.warmUp()
    const niceness = await Promise.all(
      (await readdir('/proc/self/task')).map(async (id) => {
        const stat = await readFile(`/proc/self/task/${id}/stat`, 'utf8')
        return { id: Number(id), nice: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]) }
      }),
    )
    const ours = niceness.find(({ id }) => id === process.pid)!.nice
    expect(ours).toBe(getPriority())
    expect(niceness.filter(({ nice }) => nice > ours)).toHaveLength(2)
  })
})
