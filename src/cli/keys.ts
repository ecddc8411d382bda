import { composeKeyOperator } from '../compose-keys.js'
import type { Config } from '../config.js'
import { KEY_ACTIONS, type KeyReport, type ListedKey } from '../operators/key-commands.js'
import { carryOut, generatedSecretFor } from './carry-out.js'

export const KEYS_USAGE = `Usage: keyward keys <action> [kid] [--json]

  list          the key pairs in the database, and what each does
  rotate        make a new one, which signs in five minutes, when all nodes and guards know it
  retire <kid>  end one at once, because somebody may have a copy: its tokens are refused
`

/** Runs one of the operator's commands for keys. */
export async function runKeys(
  config: Config,
  [word, kid, ...rest]: readonly string[],
  { json }: { readonly json: boolean },
): Promise<string> {
  const action = KEY_ACTIONS.find((known) => known === `keys ${word}`)
  if (action === undefined) throw new Error(`unknown action\n\n${KEYS_USAGE}`)
  const takesKey = action === 'keys retire'
  if (rest.length > 0 || takesKey !== (kid !== undefined)) {
    throw new Error(`${word} takes ${takesKey ? 'one kid' : 'no kid'}\n\n${KEYS_USAGE}`)
  }
  const report = await carryOut(config, { action, kid: kid ?? null }, async (database, command) => {
    const generatedSecret = action === 'keys rotate' ? await generatedSecretFor(config) : null
    return composeKeyOperator({ config, generatedSecret, database })(command)
  })
  return json ? JSON.stringify(toJson(report), null, 2) : toText(report)
}

const toJson = ({ keys, message }: KeyReport) => ({
  keys: keys.map(({ kid, algorithm, state, signsFrom, verifiesUntil }) => ({
    kid,
    algorithm,
    state,
    signs_from: signsFrom,
    verifies_until: verifiesUntil,
  })),
  ...(message !== null && { message }),
})

function toText({ keys, message }: KeyReport): string {
  const lines = keys.length === 0 ? ['There are no key pairs in the database.'] : keys.map(toLine)
  return [...(message === null ? [] : [message, '']), ...lines].join('\n')
}

function toLine({ kid, algorithm, state, signsFrom, verifiesUntil }: ListedKey): string {
  const until = verifiesUntil === null ? '' : `  until ${verifiesUntil}`
  return `${kid}  ${algorithm.padEnd(5)}  ${state.padEnd(8)}  from ${signsFrom}${until}`
}
