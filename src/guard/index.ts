export type { Principal } from '../core/access-token.js'
export type { RevocationCheck } from '../core/revocation-check.js'
export {
  createGuard,
  type Guard,
  type GuardOptions,
  type GuardVerdict,
  type LocalGuard,
} from './guard.js'
export { type FollowedRevocations, type FollowOptions, followRevocations } from './revocations.js'
