import { createHash, createHmac } from 'node:crypto'
import { formatCost } from './hash-format.js'

/**
 * passlib's `bcrypt_sha256`: the password goes through SHA-256 first, so that bcrypt, which stops at 72 bytes,
 * sees all of it. Version 2 keys an HMAC with the salt's text; version 1 is a bare SHA-256.
 */
export function prehash(password: string, version: 1 | 2, salt: string): string {
  const digest = version === 2 ? createHmac('sha256', salt) : createHash('sha256')
  return digest.update(password, 'utf8').digest('base64')
}

/** Turns the bcrypt hash of a pre-hashed password into passlib's `$bcrypt-sha256$v=2` form. */
export function formatBcryptSha256(bcryptHash: string, cost: number): string {
  const saltAndDigest = bcryptHash.slice(`$2b$${formatCost(cost)}$`.length)
  return `$bcrypt-sha256$v=2,t=2b,r=${cost}$${saltAndDigest.slice(0, 22)}$${saltAndDigest.slice(22)}`
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const BCRYPT_BASE64 = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** bcrypt's own base64: the same bits under another alphabet, without padding. */
export function encodeBcryptBase64(bytes: Buffer): string {
  const standard = bytes.toString('base64').replace(/=+$/, '')
  return standard.replace(/./g, (character) => BCRYPT_BASE64.charAt(BASE64.indexOf(character)))
}
