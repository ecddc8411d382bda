import { readFileSync } from 'node:fs'
import { createPackageFromTarballData } from '@arethetypeswrong/core'
import { expect, test } from 'vitest'
import { makeTempFolder } from '../support/temp-folder.js'
import { packInto } from './packed.js'

const EXPECTED =
  /^(LICENSE|README\.md|package\.json|bin\/keyward\.js|scripts\/prepare\.js|(dist|migrations|blocklists)\/.+)$/

test('the package holds what runs, and nothing else', async () => {
  const packed = createPackageFromTarballData(readFileSync(await packInto(makeTempFolder())))
  const files = packed.listFiles().map((path) => path.replace(/^\/node_modules\/keyward\//, ''))
  expect(files.length).toBeGreaterThan(50)
  expect(files.filter((path) => !EXPECTED.test(path))).toEqual([])
  expect(files.filter((path) => /(^|\/)(\.|tests?\/|fixtures\/|secret$)/.test(path))).toEqual([])
})
