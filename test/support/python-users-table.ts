import type { Queryable } from '../../src/db/database.js'

/** The table as SQLModel makes it for the Python stack. */
export const PYTHON_USERS_TABLE = `
  CREATE TABLE users (
    email VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    is_active BOOLEAN NOT NULL,
    id UUID NOT NULL,
    password_hash VARCHAR NOT NULL,
    created_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    PRIMARY KEY (id)
  );
  CREATE UNIQUE INDEX ix_users_email ON users (email);`

export interface PythonAccount {
  readonly email: string
  readonly name: string
  readonly is_active: boolean
  readonly id: string
  /** Made by passlib 1.7.4: `CryptContext(schemes=["bcrypt"]).hash(password)`. */
  readonly password_hash: string
  /** UTC, with microseconds, as Python's datetime writes it. */
  readonly created_at: string
  readonly updated_at: string
}

export const MIXED_CASE: PythonAccount & { password: string } = {
  email: 'Ada.Lovelace@Example.com',
  name: 'Ada Lovelace',
  is_active: true,
  id: '0b4d3a52-6a9c-4d0e-9a53-1f6f1f7d2c11',
  password: 'C0rrect-horse!battery',
  password_hash: '$2b$12$nUxyuxoZUoWyCpwwlMqEJulTqPXbftfVqCbQXQoLQEVLqhA1XafoG',
  // In Berlin this hour does not exist: reading it as local time cannot go unnoticed.
  created_at: '2024-03-31 02:30:00.123456',
  updated_at: '2024-07-01 23:59:59.999999',
}

export const INTERNATIONAL: PythonAccount & { password: string } = {
  email: 'leser@bücher.de',
  name: 'Jürgen Bücherwurm',
  is_active: true,
  id: '7c1e8f04-35d2-4b8e-8d57-90c2a4be6f22',
  password: 'Zwölf!Bücher-1984',
  password_hash: '$2b$12$ED3sEFsgmr8czoKHngefnubyyWAtwyc6B48JgVxckk9mlBojSpYe6',
  created_at: '2023-12-31 23:59:59',
  updated_at: '2024-01-01 00:00:00',
}

export const INACTIVE: PythonAccount & { password: string } = {
  email: 'not-yet@example.com',
  name: 'Not Yet',
  is_active: false,
  id: 'e2f0b7c9-1d44-4c3a-b0a6-5d8e7f9a3b33',
  password: 'N0t-yet!activated',
  password_hash: '$2b$12$GV7yS2xAv2RRfTed.4MwmOrlcE6NnLetm.WCbtx7hwMRgtpFOvA9C',
  created_at: '2024-05-05 05:05:05.5',
  updated_at: '2024-05-05 05:05:05.5',
}

/** Inserts as the Python stack does: its own columns, each with a value. */
export async function insertPythonAccount(database: Queryable, account: PythonAccount): Promise<void> {
  await database.query(
    `INSERT INTO users (email, name, is_active, id, password_hash, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      account.email,
      account.name,
      account.is_active,
      account.id,
      account.password_hash,
      account.created_at,
      account.updated_at,
    ],
  )
}

/** The table and its three accounts. */
export async function makePythonUsersTable(database: Queryable): Promise<void> {
  await runScript(database, PYTHON_USERS_TABLE)
  for (const account of [MIXED_CASE, INTERNATIONAL, INACTIVE]) await insertPythonAccount(database, account)
}

/** Several statements; the embedded database takes one at a time. */
export async function runScript(database: Queryable, sql: string): Promise<void> {
  for (const statement of sql.split(';')) if (statement.trim() !== '') await database.query(statement)
}
