import type { Setting } from '../src/setting-kinds.js'
import { SETTINGS } from '../src/settings.js'

const BEGIN = '<!-- settings: made by `npm run docs:settings` -->'
const END = '<!-- /settings -->'

const rows = Object.entries(SETTINGS) as [string, Setting<unknown>][]

/** The README with its table of settings made anew from `SETTINGS`. */
export function withSettingsTable(readme: string): string {
  const [before, rest] = readme.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined) throw new Error('README.md has lost its settings markers')
  const table = ['| variable | default | what | expects |', '|---|---|---|---|', ...rows.map(tableRow)]
  return `${before}${BEGIN}\n${table.join('\n')}\n${END}${after}`
}

function tableRow([name, setting]: [string, Setting<unknown>]): string {
  const value = setting.default === null ? '' : `\`${setting.default}\``
  const file = setting.isSecret ? ` Or \`${name}_FILE\`.` : ''
  return `| \`${name}\` | ${value} | ${setting.description}${file} | ${setting.expected} |`
}

/** `.env.example`: every setting, commented out at its default. */
export function envExample(): string {
  const blocks = rows.map(([name, { default: value, description, expected }]) =>
    [
      `# ${description.replaceAll('`', '')}`,
      `# Expects ${expected.replaceAll('`', '')}.`,
      `#${name}=${value ?? ''}`,
    ].join('\n'),
  )
  return `# Copy to .env and uncomment what you need. Every line is optional outside production.\n\n${blocks.join('\n\n')}\n`
}
