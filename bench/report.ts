import { readFileSync, writeFileSync } from 'node:fs'
import type { Findings, Table } from './findings.js'

/** Tables and reaches as Markdown. */
export function toMarkdown(machine: string, { tables, reaches, notes = [] }: Findings): string {
  const blocks = [`Measured ${machine}.`, ...tables.map(formatTable)]
  if (reaches.length > 0) {
    const rows = reaches.map(({ what, measured, wanted, isReached }) => [
      what,
      measured,
      wanted,
      isReached ? 'reached' : '**not reached**',
    ])
    blocks.push(formatTable({ head: ['reach', 'measured', 'wanted', ''], rows }))
  }
  return [...blocks, ...notes].join('\n\n')
}

function formatTable({ head, rows }: Table): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** Puts the text between the marks of that name; what stands around them stays. */
export function writeBetweenMarks(file: URL, name: string, text: string): void {
  const before = `<!-- measured: ${name} -->`
  const after = `<!-- /measured: ${name} -->`
  const document = readFileSync(file, 'utf8')
  const start = document.indexOf(before)
  const end = document.indexOf(after)
  if (start < 0 || end < start) throw new Error(`${file.pathname} has no marks for "${name}"`)
  writeFileSync(file, `${document.slice(0, start)}${before}\n${text}\n${document.slice(end)}`)
}
