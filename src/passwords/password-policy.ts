import { localPartOf } from '../core/email.js'
import { countCodePoints, isStorableText } from '../core/text.js'

export const PASSWORD_POLICIES = ['composition', 'nist'] as const
export type PasswordPolicyName = (typeof PASSWORD_POLICIES)[number]

/** Everything that is wrong with a new password, in words for the person who chose it; empty when it is fine. */
export type PasswordPolicy = (password: string, emailAddress: string) => string[]

const MAX_CODE_POINTS = 128
const MIN_CODE_POINTS: Record<PasswordPolicyName, number> = { composition: 8, nist: 15 }
// A shorter local part ("jo") stands in too many good passwords by chance.
const MIN_LOCAL_PART_TO_BAN = 4
const DIGIT = /\p{Nd}/u
const SPECIAL_CHARACTER = /[^\p{L}\p{M}\p{N}\s]/u

/**
 * `composition` is the contract's rule: 8 characters, a digit and a special character.
 * `nist` is NIST SP 800-63B-4 §3.1.1.2: 15 characters, no composition. Both refuse common passwords.
 * `bannedWords`, in lower case, may stand nowhere in a password: what guessers of this service try first (ASVS 6.2.11).
 * The password is judged and hashed exactly as it came: no trimming, no normalisation (ASVS 6.2.8).
 */
export function createPasswordPolicy(
  name: PasswordPolicyName,
  commonPasswords: ReadonlySet<string>,
  bannedWords: readonly string[] = [],
): PasswordPolicy {
  return (password, emailAddress) => {
    if (!isStorableText(password)) return ['contains characters that cannot be used']
    const problems: string[] = []
    const length = countCodePoints(password)
    const lowerCase = password.toLowerCase()
    if (length < MIN_CODE_POINTS[name])
      problems.push(`must have at least ${MIN_CODE_POINTS[name]} characters`)
    if (length > MAX_CODE_POINTS) problems.push(`must have at most ${MAX_CODE_POINTS} characters`)
    if (name === 'composition') {
      if (!DIGIT.test(password)) problems.push('must contain at least one digit')
      if (!SPECIAL_CHARACTER.test(password)) problems.push('must contain at least one special character')
    }
    if (commonPasswords.has(lowerCase)) problems.push('is one of the most common passwords')
    if (containsLocalPart(lowerCase, emailAddress))
      problems.push('must not contain the name in your email address')
    const banned = bannedWords.find((word) => lowerCase.includes(word))
    if (banned !== undefined) problems.push(`must not contain "${banned}"`)
    return problems
  }
}

function containsLocalPart(lowerCasePassword: string, emailAddress: string): boolean {
  const localPart = localPartOf(emailAddress)
  return countCodePoints(localPart) >= MIN_LOCAL_PART_TO_BAN && lowerCasePassword.includes(localPart)
}
