import { KeywardError, readRefusal } from './keyward-error.js'

type Operation = `${'GET' | 'POST' | 'PUT' | 'DELETE'} ${string}`

interface Parts {
  readonly token?: string
  readonly body?: object
  readonly signal?: AbortSignal | undefined
  /** Tells a reply of Keyward's from that of something in between, such as a hotel's log-in page. */
  readonly isReply?: (reply: unknown) => boolean
}

/** One request to Keyward, such as `POST login`. Resolves with the body of a success, rejects with a KeywardError. */
export type SendRequest = <Reply>(operation: Operation, parts?: Parts) => Promise<Reply>

export function createSendRequest(url: URL): SendRequest {
  return async <Reply>(operation: Operation, { token, body, signal, isReply = isObject }: Parts = {}) => {
    const [method = '', path = ''] = operation.split(' ')
    const { response, text } = await exchange(new URL(`api/auth/${path}`, url), {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
      // Passwords and tokens follow nobody to another address; cookies are no part of this API.
      redirect: 'error',
      credentials: 'omit',
      ...UNCACHED,
    })
    const reply = parseJson(text)
    if (!response.ok) throw readRefusal(response, reply)
    if (!isReply(reply)) throw new KeywardError('unexpected_reply', { status: response.status })
    return reply as Reply
  }
}

/** Otherwise browsers let the same request of another tab wait until the first one is answered. */
const UNCACHED = { cache: 'no-store' } as const

async function exchange(address: URL, request: RequestInit): Promise<{ response: Response; text: string }> {
  try {
    const response = await fetch(address, request)
    return { response, text: await response.text() }
  } catch (cause) {
    if (request.signal?.aborted) throw request.signal.reason
    throw new KeywardError('network_error', { cause })
  }
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null

/** Undefined for what is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
