import { readFileSync } from 'node:fs'
import type { PasswordPolicyName } from './password-policy.js'

/** The common passwords that would pass the named policy, lower-cased (`blocklists/SOURCE.md`; ASVS 6.2.4). */
export function readCommonPasswords(policy: PasswordPolicyName): ReadonlySet<string> {
  const file = new URL(`../../blocklists/${policy}.txt`, import.meta.url)
  return new Set(readFileSync(file, 'utf8').split('\n').filter(Boolean))
}
