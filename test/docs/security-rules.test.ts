import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SETTINGS, type SettingName } from '../../src/settings.js'
import { ROOT } from '../support/keyward-process.js'
import { readTable } from './markdown.js'

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const rules = read('docs/security/rules.md')

const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path: `src/${path.replaceAll('\\', '/')}`, text: read(`src/${path}`) }))
const filesWith = (pattern: RegExp): string[] =>
  sources
    .filter(({ text }) => pattern.test(text))
    .map(({ path }) => path)
    .sort()

test('docs/security/rules.md gives the lives of sessions as they are by default', () => {
  const rows = readTable(rules, 'setting', 'default')
  expect(rows.map(({ setting }) => setting)).toEqual([
    '`SESSION_IDLE_TTL`',
    '`SESSION_TTL`',
    '`ACCESS_TOKEN_TTL`',
  ])
  for (const { setting = '', default: value } of rows) {
    expect([setting, value]).toEqual([setting, SETTINGS[setting.replaceAll('`', '') as SettingName].default])
  }
})

test('docs/security/rules.md lists the algorithms that the source asks for, and no broken one is among them', () => {
  const asked = sources.flatMap(({ text }) =>
    [...text.matchAll(/(?:createHash|createHmac|createCipheriv|createDecipheriv|hkdfSync)\('([^']+)'/g)].map(
      ([, name]) => name,
    ),
  )
  const documented = readTable(rules, 'what for', 'algorithm').flatMap(({ algorithm = '', key = '' }) =>
    [...`${algorithm} ${key}`.matchAll(/`([a-z0-9-]+)`/g)].map(([, name]) => name),
  )
  expect(new Set(asked)).toEqual(new Set(documented))
  expect(new Set(asked)).toEqual(new Set(['sha256', 'aes-256-gcm']))
  // A name that is computed would escape the comparison.
  expect(filesWith(/(createHash|createHmac|createCipheriv|createDecipheriv|hkdfSync)\((?!')/)).toEqual([])
})

test('only node:crypto, and bcrypt and argon2 of @node-rs, do cryptography', () => {
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> }
  const crypto = Object.keys(dependencies).filter((name) =>
    /jwt|jose|crypt|argon|hash|cipher|sodium|forge/.test(name),
  )
  expect(crypto).toEqual(['@node-rs/argon2', '@node-rs/bcrypt'])
  expect(filesWith(/from '@node-rs\//)).toEqual(['src/passwords/hash-primitives.ts'])
})

test('nothing random comes from anywhere but node:crypto', () => {
  expect(filesWith(/Math\.random|getRandomValues|globalThis\.crypto|crypto\.randomUUID/)).toEqual([])
})

const NETWORK_IMPORT =
  /import (?!type)([^']*) from '(?:node:(?:http2?|https|tls|dgram|dns)|undici|ws|nodemailer)'/g

test('the server opens connections to its database alone', () => {
  const server = ({ path }: { path: string }): boolean => !/^src\/(guard|client)\//.test(path)
  const using = (pattern: RegExp): string[] =>
    sources
      .filter((source) => server(source) && pattern.test(source.text))
      .map(({ path }) => path)
      .sort()
  // Both by Unix sockets in the data folder.
  expect(using(/\b(net|tls|http|https)\.(connect|createConnection|request|get)\(/)).toEqual([
    'src/db/folder-lock.ts',
    'src/operators/control-socket.ts',
  ])
  const imports = sources
    .filter(server)
    .flatMap(({ path, text }) => [...text.matchAll(NETWORK_IMPORT)].map(([, names]) => `${path} ${names}`))
  // Names of states and methods, and what certificates are read into: nothing that connects.
  expect(imports.sort()).toEqual([
    'src/core/problem.ts { STATUS_CODES }',
    'src/db/connection-url.ts { type ConnectionOptions, createSecureContext, type SecureContext }',
    'src/http/method-not-allowed.ts { METHODS }',
  ])
  expect(using(/(?<![\w.])fetch\(|WebSocket|EventSource/)).toEqual([])
})

interface LockedPackage {
  readonly link?: boolean
  readonly integrity?: string
  readonly resolved?: string
}

test('every package is locked by its hash, and comes from the npm registry', () => {
  const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, LockedPackage> }
  const packages = Object.entries(lock.packages).filter(([path, { link }]) => path !== '' && !link)
  expect(packages.length).toBeGreaterThan(100)
  // `resolved` would be a place of its own: a git address, a file, another registry.
  const loose = packages.filter(
    ([, { integrity = '', resolved = 'https://registry.npmjs.org/' }]) =>
      !integrity.startsWith('sha512-') || !resolved.startsWith('https://registry.npmjs.org/'),
  )
  expect(loose).toEqual([])
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
    string,
    Record<string, string>
  >
  const versions = Object.values({ ...dependencies, ...devDependencies })
  expect(versions.filter((version) => !/^(npm:.+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([])
})
