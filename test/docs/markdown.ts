/** A row of a table, by the names of its columns. */
export type Row = Readonly<Record<string, string>>

const splitCells = (line: string): string[] =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('\\|', '|'))

/** Every table of a document: rows of lines that begin with `|`, the second of them dashes. */
export function readTables(markdown: string): Row[][] {
  const tables: Row[][] = []
  const blocks = markdown
    .split(/\n(?!\|)/)
    .map((block) => block.split('\n').filter((line) => line.startsWith('|')))
  for (const [head, rule, ...lines] of blocks) {
    if (head === undefined || !/^\|[-|]+\|$/.test(rule ?? '')) continue
    const columns = splitCells(head)
    tables.push(
      lines.map((line) => {
        const cells = splitCells(line)
        if (cells.length !== columns.length)
          throw new Error(`${cells.length} cells, not ${columns.length}: ${line}`)
        return Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? '']))
      }),
    )
  }
  return tables
}

/** The table with these columns first. */
export function readTable(markdown: string, ...columns: string[]): Row[] {
  const table = readTables(markdown).find(([row]) =>
    columns.every((column, i) => Object.keys(row ?? {})[i] === column),
  )
  if (table === undefined) throw new Error(`There is no table of ${columns.join(', ')}`)
  return table
}

/** The targets of links to files, as they are written. */
export const readLinks = (markdown: string): string[] =>
  [...markdown.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target ?? '')
    .filter((target) => !/^[a-z]+:/.test(target))

/** The names by which headings are linked to. */
export const readAnchors = (markdown: string): string[] =>
  [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
