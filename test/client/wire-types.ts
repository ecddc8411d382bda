// Checked by the compiler (`npm run check:types`), never run: the client's types say what the server's schemas say.
import type { FromSchema } from 'json-schema-to-ts'
import type * as wire from '../../src/client/wire.js'
import type * as requests from '../../src/http/request-schemas.js'
import type * as schemas from '../../src/http/schemas.js'

/** A type without what only one of the two notations can say: further, unknown members, and `readonly`. */
type Plain<T> = T extends readonly (infer Item)[]
  ? Plain<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T as string extends Key ? never : Key]: Plain<T[Key]> }
    : T

// Only as conditions of a generic function are two types compared member by member, optional ones included.
/* oxlint-disable typescript/no-unnecessary-type-parameters */
type Equal<A, B> =
  (<T>() => T extends Plain<A> ? 1 : 2) extends <T>() => T extends Plain<B> ? 1 : 2 ? true : false
/* oxlint-enable typescript/no-unnecessary-type-parameters */

export const AS_IN_THE_SCHEMAS: {
  User: Equal<wire.User, FromSchema<typeof schemas.User>>
  Session: Equal<wire.Session, FromSchema<typeof schemas.Session, { references: [typeof schemas.User] }>>
  SessionList: Equal<wire.SessionList, FromSchema<typeof schemas.SessionList>>
  RegisterBody: Equal<wire.RegisterBody, requests.RegisterBody>
  LoginBody: Equal<wire.LoginBody, requests.LoginBody>
  ProfileBody: Equal<wire.ProfileBody, requests.ProfileBody>
  PasswordBody: Equal<wire.PasswordBody, requests.PasswordBody>
  LogoutAllBody: Equal<wire.LogoutAllBody | null, requests.LogoutAllBody>
} = {
  User: true,
  Session: true,
  SessionList: true,
  RegisterBody: true,
  LoginBody: true,
  ProfileBody: true,
  PasswordBody: true,
  LogoutAllBody: true,
}
