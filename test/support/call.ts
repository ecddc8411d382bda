export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** The parsed body; of any shape, for the test to look into. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
}

interface Call {
  readonly body?: object
  readonly token?: string
}

/** One request to a running server: `call(keyward, 'POST /api/auth/login', { body })`. */
export async function call(
  server: { url: string },
  target: string,
  { body, token }: Call = {},
): Promise<Answer> {
  const [method = 'GET', path = '/'] = target.split(' ')
  const response = await fetch(server.url + path, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') ?? false
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
}

export const ADA = { email: 'ada@example.com', name: 'Ada Lovelace', password: 'C0rrect-horse!battery' }

/** Registers Ada and returns her token. */
export async function registerAda(server: { url: string }): Promise<string> {
  const { status, body } = await call(server, 'POST /api/auth/register', { body: ADA })
  if (status !== 201) throw new Error(`could not register: ${JSON.stringify(body)}`)
  return (body as { access_token: string }).access_token
}

export const logInAda = (server: { url: string }): Promise<Answer> =>
  call(server, 'POST /api/auth/login', { body: { email: ADA.email, password: ADA.password } })
