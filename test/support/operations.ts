import type { TestApp } from './test-app.js'

interface ObjectSchema {
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, { readonly type?: string | readonly string[] }>>
}

interface Described {
  readonly operationId: string
  readonly security?: readonly Readonly<Record<string, unknown>>[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: ObjectSchema }>> }
}

/** One operation of `/openapi.json`, which lists all there are: a test over these cannot forget a new one. */
export interface Operation {
  readonly id: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** With `{id}` where a path has a parameter. */
  readonly path: string
  /** Whose token it asks for. */
  readonly credential: 'user' | 'service' | null
  /** Null when it reads none. */
  readonly body: ObjectSchema | null
}

export async function readOperations(app: Pick<TestApp, 'get'>): Promise<Operation[]> {
  const { paths } = (await app.get('/openapi.json')).body as {
    paths: Record<string, Record<string, Described>>
  }
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, security, requestBody }]) => ({
      id: operationId,
      method: method.toUpperCase() as Operation['method'],
      path,
      credential: credentialOf(security),
      body: requestBody?.content['application/json']?.schema ?? null,
    })),
  )
}

function credentialOf(security: Described['security']): Operation['credential'] {
  if (security === undefined) return null
  return security.some((scheme) => 'feed' in scheme) ? 'service' : 'user'
}
