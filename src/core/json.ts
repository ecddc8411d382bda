import { isUtf8 } from 'node:buffer'

/** A JSON object from UTF-8 bytes; null for anything else. Duplicate names: the last one counts (RFC 7519 §4). */
export function parseJsonObject(bytes: Buffer): Record<string, unknown> | null {
  if (!isUtf8(bytes)) return null
  try {
    const value: unknown = JSON.parse(bytes.toString())
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
    return value as Record<string, unknown>
  } catch {
    return null
  }
}
