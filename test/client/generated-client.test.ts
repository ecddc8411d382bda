import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import openapiTS, { astToString } from 'openapi-typescript'
import { expect, test } from 'vitest'
import { link, typeCheck } from '../package/packed.js'
import { ROOT } from '../support/keyward-process.js'
import { makeTempFolder } from '../support/temp-folder.js'
import { useKeyward } from './keyward-client.js'

const { app, gateway } = useKeyward()

test('a client made from /openapi.json compiles in a strict project, and works', async () => {
  const folder = makeTempFolder()
  const { body } = await app.get('/openapi.json')
  writeFileSync(join(folder, 'schema.d.ts'), astToString(await openapiTS(body)))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  copyFileSync(`${ROOT}/test/fixtures/generated-client/journey.ts`, join(folder, 'journey.ts'))
  for (const dependency of ['openapi-fetch', 'openapi-typescript-helpers']) link(folder, dependency)
  const options =
    '--strict --exactOptionalPropertyTypes --noUncheckedIndexedAccess --types --skipLibCheck false'
  const target = '--module NodeNext --target ES2022 --lib ES2022,DOM journey.ts'
  expect(await typeCheck(folder, ...options.split(' '), ...target.split(' '))).toBe('')

  const { travel } = await import(pathToFileURL(join(folder, 'journey.js')).href)
  const { registered, loggedIn, profile, refusal } = await travel(gateway.url)
  expect(registered).toMatchObject({ email: 'generated@example.com', name: 'Grace' })
  expect([loggedIn, profile]).toEqual([registered, registered])
  expect(refusal).toEqual({ code: 'invalid_credentials', detail: 'Invalid email or password' })
})
