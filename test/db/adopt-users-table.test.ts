import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrate } from '../../src/db/migrate.js'
import {
  INACTIVE,
  INTERNATIONAL,
  insertPythonAccount,
  makePythonUsersTable,
  MIXED_CASE,
  runScript,
} from '../support/python-users-table.js'
import { PASSWORD, useTestApp } from '../support/test-app.js'
import { openTestDatabase } from '../support/test-database.js'

// Times must not depend on where the server stands.
const zoneBefore = process.env.TZ
beforeAll(() => {
  process.env.TZ = 'Europe/Berlin'
})
afterAll(() => {
  if (zoneBefore === undefined) delete process.env.TZ
  else process.env.TZ = zoneBefore
})

describe('the users table of the Python stack', () => {
  const app = useTestApp({ prepare: makePythonUsersTable })

  const logIn = (email: string, password: string) => app.post('/api/auth/login', { email, password })

  test.each([
    ['as it is stored', MIXED_CASE, MIXED_CASE.email],
    ['in lower case', MIXED_CASE, 'ada.lovelace@example.com'],
    ['with its domain in Unicode', INTERNATIONAL, INTERNATIONAL.email],
    ['with its domain in ASCII', INTERNATIONAL, 'leser@xn--bcher-kva.de'],
    ['in any letter case', INTERNATIONAL, 'LESER@BÜCHER.DE'],
  ])('an account of it logs in with its passlib hash, the address written %s', async (_, account, email) => {
    const { status, body } = await logIn(email, account.password)
    expect(status).toBe(200)
    expect(body.user).toMatchObject({ id: account.id, email: account.email, name: account.name })
  })

  test('a wrong password is refused for its accounts', async () => {
    expect((await logIn(MIXED_CASE.email, INTERNATIONAL.password)).status).toBe(401)
  })

  test('an account that was switched off there is switched off here', async () => {
    expect((await logIn(INACTIVE.email, INACTIVE.password)).status).toBe(403)
  })

  test('its times are read as UTC, also where local time is another', async () => {
    expect(new Date('2024-03-31T00:00:00Z').getTimezoneOffset()).toBe(-60)
    const { body } = await logIn(MIXED_CASE.email, MIXED_CASE.password)
    expect(body.user.created_at).toBe('2024-03-31T02:30:00.123Z')
    expect(body.user.updated_at).toBe('2024-07-01T23:59:59.999Z')
  })

  test('a change of the name moves updated_at and nothing else', async () => {
    const { body } = await logIn(INTERNATIONAL.email, INTERNATIONAL.password)
    const before = await app.database.query('select * from users where id = $1', [INTERNATIONAL.id])
    const changed = await app.put('/api/auth/profile', { name: 'Jürgen B.' }, body.access_token)
    expect(changed.status).toBe(200)
    const [row] = await app.database.query('select *, updated_at::text as written from users where id = $1', [
      INTERNATIONAL.id,
    ])
    expect(row).toEqual({
      ...before[0],
      name: 'Jürgen B.',
      updated_at: new Date(changed.body.updated_at),
      written: '2099-11-22 12:00:00',
    })
  })

  test.each([
    'ada.lovelace@example.com',
    'ADA.LOVELACE@EXAMPLE.COM',
    'leser@bücher.de',
    'Leser@xn--bcher-kva.de',
    'leser@BÜCHER.de',
  ])('registering %s again is refused', async (email) => {
    const reply = await app.post('/api/auth/register', { email, name: 'Somebody', password: PASSWORD })
    expect(reply.status).toBe(409)
    expect(reply.body.code).toBe('email_taken')
  })

  test('the Python stack goes on inserting, and its new accounts log in', async () => {
    const account = {
      ...MIXED_CASE,
      id: 'f00dbabe-1111-4222-8333-444455556666',
      email: 'Later@Example.com',
    }
    await insertPythonAccount(app.database, account)
    expect((await logIn('later@example.com', account.password)).status).toBe(200)
  })

  test('an account registered here fills every column that the Python stack reads', async () => {
    const user = await app.newUser({ email: 'Grace@Example.com', name: 'Grace Hopper' })
    const rows = await app.database.query(
      `select email, name, is_active, id, password_hash, created_at::text, updated_at::text
         from users where id = $1`,
      [user.id],
    )
    expect(rows).toEqual([
      {
        email: 'grace@example.com',
        name: 'Grace Hopper',
        is_active: true,
        id: user.id,
        password_hash: expect.stringMatching(/^\$2b\$04\$.{53}$/),
        created_at: '2099-11-22 12:00:00',
        updated_at: '2099-11-22 12:00:00',
      },
    ])
  })

  test('the Python stack cannot add an address a second time in another letter case', async () => {
    const double = {
      ...INACTIVE,
      id: 'f00dbabe-7777-4888-8999-aaaabbbbcccc',
      email: 'ADA.lovelace@example.com',
    }
    await expect(insertPythonAccount(app.database, double)).rejects.toMatchObject({ code: '23505' })
  })
})

describe('columns that are narrower than Keyward needs', () => {
  const app = useTestApp({
    async prepare(database) {
      await makePythonUsersTable(database)
      await runScript(
        database,
        `alter table users alter name type varchar(100);
         alter table users alter password_hash type varchar(60);
         alter table users alter email type varchar(64)`,
      )
    },
  })

  test('are widened, so that the longest name, address and hash fit', async () => {
    const email = `${'a'.repeat(64)}@${'b'.repeat(63)}.example.com`
    const user = await app.newUser({ email, name: 'n'.repeat(200), password: `1!${'ü'.repeat(60)}` })
    const { body } = await user.get('/api/auth/profile')
    expect(body).toMatchObject({ email, name: 'n'.repeat(200) })
  })

  test('keep what they held', async () => {
    const { email, password } = MIXED_CASE
    expect((await app.post('/api/auth/login', { email, password })).status).toBe(200)
  })
})

test('adopting leaves every row and every column as it was', async () => {
  const database = await openTestDatabase()
  try {
    await makePythonUsersTable(database)
    await runScript(
      database,
      `alter table users add phone varchar;
       alter table users add signed_up_from text not null default 'web';
       update users set phone = '+44 20 7946 0000'`,
    )
    const read = () =>
      Promise.all([
        database.query(
          'select *, created_at::text as created, updated_at::text as updated from users order by id',
        ),
        database.query(`
          select attname, format_type(atttypid, atttypmod), attnotnull, atthasdef
            from pg_attribute where attrelid = 'users'::regclass and attnum > 0 order by attnum`),
        database.query(
          "select pg_get_constraintdef(oid) from pg_constraint where conrelid = 'users'::regclass order by 1",
        ),
        database.query("select indexdef from pg_indexes where indexname in ('ix_users_email', 'users_pkey')"),
      ])
    const before = await read()
    expect(before[0]).toHaveLength(3)
    expect(await migrate(database)).toMatchObject({ adopted: true })
    expect(await read()).toEqual(before)
    expect(await migrate(database)).toEqual({ applied: [], adopted: false })
  } finally {
    await database.close()
  }
})
