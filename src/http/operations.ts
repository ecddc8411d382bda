import * as requests from './request-schemas.js'
import { refusals, success } from './schemas.js'

// What each operation takes and answers: checked on every request, and the source of /openapi.json.

const AUTHENTICATION = { tags: ['authentication'] }
const GUARDED = { ...AUTHENTICATION, security: [{ bearer: [] }] }
const HEALTH = { tags: ['health'] }

const BODY = ['malformed_json', 'body_too_large', 'unsupported_media_type'] as const
const FIELDS = ['validation_failed', ...BODY] as const
const GUARD = [
  'not_authenticated',
  'token_expired',
  'invalid_token',
  'revocation_stale',
  'keys_unavailable',
] as const
const FAILURE = ['internal_error', 'database_unavailable'] as const
const SERVER = ['too_many_requests', ...FAILURE] as const

const REPLACES =
  'No token is needed. The session of a good access token that is sent along (`Authorization: Bearer …`) ends when the ' +
  'new one opens; any other token changes nothing.'

export const register = {
  operationId: 'register',
  ...AUTHENTICATION,
  summary: 'Create an account and open a session',
  description: REPLACES,
  body: requests.RegisterBody,
  response: {
    201: success('Session', 'The account exists; its first session is open'),
    ...refusals(...FIELDS, 'email_taken', ...SERVER, 'overloaded'),
  },
}

export const login = {
  operationId: 'login',
  ...AUTHENTICATION,
  summary: 'Open a session',
  description: `A wrong password and an unknown e-mail get the same answer, in the same time. ${REPLACES}`,
  body: requests.LoginBody,
  response: {
    200: success('Session', 'The password is right; a session is open'),
    ...refusals(
      ...FIELDS,
      'invalid_credentials',
      'account_disabled',
      'too_many_attempts',
      ...SERVER,
      'overloaded',
    ),
  },
}

export const refresh = {
  operationId: 'refresh',
  ...AUTHENTICATION,
  summary: 'Exchange a refresh token for a new pair of tokens',
  description:
    'The refresh token is spent by it. Right after, it may be sent once more in case the reply was lost; later, a spent ' +
    'token ends the whole session, because somebody else must have a copy.',
  body: requests.RefreshBody,
  response: {
    200: success('Session', 'A new access token and the next refresh token of the same session'),
    ...refusals(...FIELDS, 'invalid_refresh_token', ...SERVER),
  },
}

export const logout = {
  operationId: 'logout',
  ...GUARDED,
  summary: 'End the session',
  description:
    'Its access token is refused from now on, here at once and on every other node within a moment, and its refresh ' +
    'token is worth nothing. The client must discard its access token and its refresh token.',
  response: {
    200: success('Message', 'The session has ended'),
    ...refusals(...BODY, ...GUARD, ...SERVER),
  },
}

const RECENT =
  'Where the server demands it, the current session must have been opened a short while ago: by a log-in, not by a ' +
  'refresh.'

export const logoutAll = {
  operationId: 'logoutAll',
  ...GUARDED,
  summary: 'End all sessions of the account',
  description: RECENT,
  body: requests.LogoutAllBody,
  response: {
    200: success('Message', 'They have ended; this one too, unless it was to be kept'),
    ...refusals(...FIELDS, ...GUARD, 'reauthentication_required', ...SERVER),
  },
}

export const listSessions = {
  operationId: 'listSessions',
  ...GUARDED,
  summary: 'List the own sessions',
  response: {
    200: success('SessionList', 'Sessions that have not ended, the newest 1,000'),
    ...refusals(...GUARD, ...SERVER),
  },
}

export const endSession = {
  operationId: 'endSession',
  ...GUARDED,
  summary: 'End one of the own sessions',
  description: `${RECENT} The current session may always be ended.`,
  params: requests.SessionParams,
  response: {
    200: success('Message', 'It has ended'),
    ...refusals(...BODY, ...GUARD, 'reauthentication_required', 'session_not_found', ...SERVER),
  },
}

export const changePassword = {
  operationId: 'changePassword',
  ...GUARDED,
  summary: 'Change the own password',
  description: 'All other sessions end.',
  body: requests.PasswordBody,
  response: {
    200: success('Message', 'The new password counts from now on'),
    ...refusals(
      ...FIELDS,
      ...GUARD,
      'wrong_password',
      'account_not_found',
      'too_many_attempts',
      ...SERVER,
      'overloaded',
    ),
  },
}

export const readProfile = {
  operationId: 'readProfile',
  ...GUARDED,
  summary: 'Read the own account',
  response: { 200: success('User', 'The account'), ...refusals(...GUARD, 'account_not_found', ...SERVER) },
}

export const updateProfile = {
  operationId: 'updateProfile',
  ...GUARDED,
  summary: 'Change the own account',
  description: 'A name that is missing or null changes nothing.',
  body: requests.ProfileBody,
  response: {
    200: success('User', 'The account after the change'),
    ...refusals(...FIELDS, ...GUARD, 'account_not_found', ...SERVER),
  },
}

export const readRevocations = {
  operationId: 'readRevocations',
  tags: ['services'],
  security: [{ feed: [] }],
  summary: 'Follow the sessions that end',
  description:
    'For guards in other processes. Ids and times only. Answers at once when there are rows after `after`, else as ' +
    'soon as there are, at the latest after `wait` seconds.',
  querystring: requests.RevocationsQuery,
  response: {
    200: success('Revocations', 'Rows in order, without a gap but for those whose tokens have all expired'),
    ...refusals('validation_failed', 'not_authenticated', 'internal_error'),
  },
}

export const readPublicKeys = {
  operationId: 'readPublicKeys',
  tags: ['services'],
  summary: 'The public keys that tokens are signed with',
  description:
    'A JWK Set (RFC 7517): the key that signs, the one that will, and those whose tokens are still good. Empty while ' +
    'tokens are HS256. Fetch it again after `max-age`; `If-None-Match` is answered with 304 when it is unchanged.',
  response: {
    200: success('KeySet', 'The keys; each is for its own algorithm alone'),
    304: { description: 'They are those that `If-None-Match` names', type: 'null' },
    ...refusals('too_many_requests', 'internal_error'),
  },
}

export const live = {
  operationId: 'live',
  ...HEALTH,
  summary: 'Whether the process answers',
  response: { 200: success('Health', 'It does'), ...refusals('internal_error') },
}

export const ready = {
  operationId: 'ready',
  ...HEALTH,
  summary: 'Whether requests can be served: the database answers',
  response: { 200: success('Health', 'They can'), ...refusals(...FAILURE) },
}
