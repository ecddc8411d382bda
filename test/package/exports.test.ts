import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT } from '../support/keyward-process.js'
import { makeTempFolder } from '../support/temp-folder.js'
import { installInto, link, packInto, typeCheck } from './packed.js'

let folder: string
let tarball: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keyward-test-'))
  tarball = await packInto(folder)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('publint finds nothing wrong with what gets packed', async () => {
  const data = readFileSync(tarball)
  const packed = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength)
  const { messages } = await publint({ pack: { tarball: packed }, strict: true })
  expect(messages).toEqual([])
})

test('every export resolves to a module with the right types, for Node and for bundlers', async () => {
  const analysis = await checkPackage(createPackageFromTarballData(readFileSync(tarball)))
  if (analysis.types === false) throw new Error('the package has no types')
  const modules = Object.keys(analysis.entrypoints).filter((name) => name !== './package.json')
  expect(modules.sort()).toEqual([
    './client',
    './errors',
    './guard',
    './guard/express',
    './guard/fastify',
    './guard/hono',
    './guard/next',
  ])
  // Without `exports` (node10) or ES modules (node16-cjs) the package cannot be used, and does not claim to be.
  const problems = analysis.problems.filter(
    (problem) => !('resolutionKind' in problem && ['node10', 'node16-cjs'].includes(problem.resolutionKind)),
  )
  expect(problems).toEqual([])
})

describe('a strict project that has installed the package, and checks its libraries as well,', () => {
  const OPTIONS = {
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    target: 'ES2022',
  }

  async function check(compilerOptions: object, source: string, ...tools: string[]): Promise<string> {
    const project = makeTempFolder()
    await installInto(project, tarball)
    for (const tool of tools) link(project, tool)
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
    writeFileSync(
      join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...OPTIONS, ...compilerOptions }, files: ['main.ts'] }),
    )
    writeFileSync(join(project, 'main.ts'), source)
    return typeCheck(project)
  }

  const NODE = { module: 'NodeNext', lib: ['ES2022'], types: ['node'] }
  const BROWSER = { module: 'ESNext', moduleResolution: 'bundler', lib: ['ES2022', 'DOM'], types: [] }
  const EVERYTHING = `
    import express from 'express'
    import Fastify from 'fastify'
    import { Hono } from 'hono'
    import { createClient, type KeywardError, type User } from 'keyward/client'
    import { ERRORS, type ErrorCode } from 'keyward/errors'
    import { createGuard, followRevocations } from 'keyward/guard'
    import { guardMiddleware as forExpress } from 'keyward/guard/express'
    import { guardPlugin } from 'keyward/guard/fastify'
    import { guardMiddleware as forHono } from 'keyward/guard/hono'
    import { withGuard } from 'keyward/guard/next'
    const code: ErrorCode = 'email_taken'
    const status: number = ERRORS[code].status
    const followed = followRevocations({ url: 'https://auth.example.com', token: 'x' })
    const guard = createGuard({ secret: 'x', revocations: followed.check })
    await Fastify().register(guardPlugin, { guard })
    express().use(forExpress(guard)).get('/', (request, response) => response.json({ id: request.user?.id }))
    new Hono().use(forHono(guard)).get('/', (c) => c.json({ id: c.var.user.id }))
    export const GET = withGuard(guard, (request: Request, user) => Response.json({ id: user.id, url: request.url }))
    const user: User = await createClient({ url: 'https://auth.example.com' }).readProfile()
    const error = null as unknown as KeywardError
    if (error.code === 'network_error' || error.code === code) throw error
    console.log(status, user.email)
  `

  test('can use every export on Node', async () => {
    expect(await check(NODE, EVERYTHING, '@types/node', '@types/express', 'express', 'hono')).toBe('')
  })

  test('can use the client, as the README shows it, in a browser', async () => {
    expect(await check(BROWSER, readmeExample())).toBe('')
  })

  test('is told when it gets a type wrong', async () => {
    const wrong = `
      import { createClient } from 'keyward/client'
      const client = createClient({ url: 'https://auth.example.com', storage: localStorage })
      await client.login({ email: 'ada@example.com' })
      const { nickname } = await client.readProfile()
      try { await client.logout() } catch (error) { console.log(nickname) }
    `
    const complaints = (await check(BROWSER, wrong)).match(/error TS\d+/g)
    expect(complaints).toEqual(['error TS2345', 'error TS2339'])
  })

  /** The TypeScript of the README's section on front ends, as one module. */
  function readmeExample(): string {
    const section = /\n## From a front end\n([^]*?)\n## /.exec(readFileSync(`${ROOT}/README.md`, 'utf8'))?.[1]
    const blocks = [...(section ?? '').matchAll(/```ts\n([^]*?)```/g)].map(([, block]) => block)
    expect(blocks.length).toBeGreaterThan(0)
    return blocks.join('\n')
  }
})
