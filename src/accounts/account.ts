/** A person's account, as everyone but the password check sees it: without its hash. */
export interface Account {
  /** UUID. */
  readonly id: string
  /** Normalised e-mail address. */
  readonly email: string
  readonly name: string
  readonly isActive: boolean
  readonly createdAt: Date
  readonly updatedAt: Date
}

export interface NewAccount {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly passwordHash: string
  readonly createdAt: Date
}

/** What the rules for accounts need of the database; each method is one atomic statement. */
export interface AccountStore {
  /** Null when an account with this address, in any letter case, already exists. */
  insert(account: NewAccount): Promise<Account | null>
  isEmailTaken(lookupKeys: readonly string[]): Promise<boolean>
  findById(id: string): Promise<Account | null>
  /** Renames an active account and moves `updatedAt` forward; null when there is no active one. */
  rename(id: string, name: string, now: Date): Promise<Account | null>
}

export interface StoredCredentials {
  readonly account: Account
  /** Null for a generated password that has expired: no password matches then. */
  readonly passwordHash: string | null
}

/** What the check of a password needs of the database. */
export interface CredentialStore {
  findCredentials(lookupKeys: readonly string[], now: Date): Promise<StoredCredentials | null>
  findCredentialsById(id: string, now: Date): Promise<StoredCredentials | null>
  /** What stands before the salt in the hashes of all accounts, each once; nothing of formats that are not known. */
  listHashBeginnings(): Promise<string[]>
  /**
   * Replaces a hash by another one of the same password, only while it is still the one that was verified; false when
   * it has changed meanwhile. A generated password expires as before.
   */
  replaceHash(id: string, verifiedHash: string, newHash: string): Promise<boolean>
}
