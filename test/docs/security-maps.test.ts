import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../support/keyward-process.js'
import { readAnchors, readLinks, readTables, type Row } from './markdown.js'
import { readTitlePaths } from './test-titles.js'

const FOLDER = 'docs/security'
const STATUSES = new Set(['met', 'not applicable', 'deviation', 'planned'])

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const documents = readdirSync(join(ROOT, FOLDER)).filter((name) => name.endsWith('.md'))

/** The rows of all tables that say what shows them. */
const rowsOf = (document: string): Row[] =>
  readTables(read(`${FOLDER}/${document}`))
    .flat()
    .filter((row) => 'shown by' in row)

const entriesOf = (row: Row): string[] => row['shown by']!.split('<br>').filter((entry) => entry !== '')

/** What is wrong, for each entry of each row of each map. */
function complain(about: (entry: string) => string | null): string[] {
  return documents.flatMap((document) =>
    rowsOf(document).flatMap((row) =>
      entriesOf(row).flatMap((entry) => {
        const complaint = about(entry)
        return complaint === null ? [] : [`${document}, ${Object.values(row)[0]}: ${complaint}`]
      }),
    ),
  )
}

const TEST_ENTRY = /^`([^`]+)` › (.+)$/
const LINK_ENTRY = /^\[[^\]]+\]\([^)]+\)$/

const titlesOfFile = new Map<string, string[]>()

/** ` › ` stands before the first title and between titles, so that a part of a title is no title. */
function titlesIn(path: string): string[] {
  let titles = titlesOfFile.get(path)
  if (titles === undefined) {
    titles = readTitlePaths(read(path)).map((titlePath) => ` › ${titlePath.join(' › ')}`)
    titlesOfFile.set(path, titles)
  }
  return titles
}

function judgeTest(entry: string): string | null {
  const [, path, title] = TEST_ENTRY.exec(entry) ?? []
  if (path === undefined || title === undefined) return null
  if (!/^test\/.+\.test\.ts$/.test(path) || !existsSync(join(ROOT, path)))
    return `there is no test file ${path}`
  return titlesIn(path).some((each) => each.endsWith(` › ${title}`)) ? null : `${path} has no test “${title}”`
}

/** What a link leads to, seen from the document that holds it. */
function judgeLink(link: string, document: string): string | null {
  const [file = '', anchor] = link.split('#')
  const path = file === '' ? document : join(dirname(document), file)
  if (!existsSync(join(ROOT, path))) return `${document} links to ${path}, which does not exist`
  if (anchor === undefined || readAnchors(read(path)).includes(anchor)) return null
  return `${document} links to ${path}#${anchor}, and there is no such heading`
}

test('every test that a map names exists', () => {
  expect(complain(judgeTest)).toEqual([])
})

test('a map names tests and documents, in the one form that is checked', () => {
  const isKnown = (entry: string): boolean => TEST_ENTRY.test(entry) || LINK_ENTRY.test(entry)
  expect(complain((entry) => (isKnown(entry) ? null : `“${entry}” is neither`))).toEqual([])
})

test('every document that is linked exists, with its heading', () => {
  const all = [...documents.map((name) => `${FOLDER}/${name}`), 'SECURITY.md']
  const broken = all.flatMap((document) =>
    readLinks(read(document)).flatMap((link) => judgeLink(link, document) ?? []),
  )
  expect(broken).toEqual([])
})

test('every row says its state; what is met is shown by something, and of everything else the reason is told', () => {
  const wrong = documents.flatMap((document) =>
    rowsOf(document).flatMap((row) => {
      const { status } = row
      const isShown = entriesOf(row).length > 0
      if (status === undefined)
        return isShown ? [] : [`${document}: ${Object.values(row)[0]} is shown by nothing`]
      if (!STATUSES.has(status)) return [`${document}: ${row.id} is “${status}”`]
      if (status === 'met') return isShown ? [] : [`${document}: ${row.id} is met by nothing`]
      return row['how, or why not'] === '' ? [`${document}: ${row.id} has no reason`] : []
    }),
  )
  expect(wrong).toEqual([])
})

test('the counts at the top of the map of ASVS are those of its rows', () => {
  const rows = rowsOf('asvs.md')
  const [counts = []] = readTables(read(`${FOLDER}/asvs.md`))
  const counted = ['1', '2', '3'].map((level) => ({
    level,
    ...Object.fromEntries(
      [...STATUSES].map((status) => [
        status,
        String(rows.filter((row) => row.level === level && row.status === status).length),
      ]),
    ),
  }))
  expect(counts).toEqual(counted)
})

test.each(readdirSync(join(ROOT, FOLDER, 'ids')))('the map has every row of %s, and no other', (list) => {
  const rows = rowsOf(list.replace('.txt', '.md')).map(({ id, level }) =>
    [id, level].filter(Boolean).join(' '),
  )
  expect(rows).toEqual(read(`${FOLDER}/ids/${list}`).trimEnd().split('\n'))
})

const NEVER_RUN = 'skip'
const SAMPLE = `
  describe('a token', () => {
    test.each([1])('of %i parts', () => {})
    test(\`of \${PARTS} parts\`, () => {})
    test.${NEVER_RUN}('that nobody looks at', () => {})
  })
  const onPosix = test.skipIf(isWindows)
  onPosix.each([1])('a file', () => {})
  helper('no test', () => {})
`

test('titles are read as they stand in the source, and those that never run are not', () => {
  expect(readTitlePaths(SAMPLE)).toEqual([
    ['a token'],
    ['a token', 'of %i parts'],
    ['a token', `of \${PARTS} parts`],
    ['a file'],
  ])
})
