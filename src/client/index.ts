export type { ErrorCode, FieldError } from '../errors.js'
export { type CallOptions, type ClientOptions, createClient, type KeywardClient } from './client.js'
export { KeywardError, type KeywardErrorCode } from './keyward-error.js'
export type { ClientStorage } from './storage.js'
export type {
  LoginBody,
  LogoutAllBody,
  PasswordBody,
  ProfileBody,
  RegisterBody,
  SessionEntry,
  User,
} from './wire.js'
