/** JSON Schema, as far as the document uses it. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly pattern?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
}

interface Parameter {
  readonly in: 'path' | 'query'
  readonly name: string
  readonly required?: boolean
  readonly schema: Schema
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>

interface DescribedOperation {
  readonly operationId: string
  readonly security?: readonly Readonly<Record<string, unknown>>[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly required?: boolean; readonly content: Content }
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Content } | undefined>
  >
}

export interface OpenApiDocument {
  readonly info: { readonly description: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

export interface Operation extends Pick<DescribedOperation, 'operationId' | 'responses'> {
  readonly method: string
  readonly url: string
  /** The security scheme that it demands. */
  readonly scheme: string | null
  readonly parameters: readonly Parameter[]
  /** Null where none is described. */
  readonly body: Schema | null
  readonly needsBody: boolean
}

export const operationsOf = (document: OpenApiDocument): Operation[] =>
  Object.entries(document.paths).flatMap(([url, item]) =>
    Object.entries(item).map(([method, described]) => ({
      operationId: described.operationId,
      responses: described.responses,
      method: method.toUpperCase(),
      url,
      scheme: Object.keys(described.security?.[0] ?? {})[0] ?? null,
      parameters: described.parameters ?? [],
      body: described.requestBody?.content['application/json']?.schema ?? null,
      needsBody: described.requestBody?.required ?? false,
    })),
  )

/** The operation that answers here; undefined for none. `target` is a path with or without a query. */
export function operationAt(
  operations: readonly Operation[],
  method: string,
  target: string,
): Operation | undefined {
  const { pathname } = new URL(target, 'http://server')
  return operations.find((each) => each.method === method && patternOf(each.url).test(decode(pathname)))
}

/** A slash at the end does not matter, and one that is percent-encoded separates nothing. */
const patternOf = (url: string): RegExp => new RegExp(`^${url.replaceAll(/\{\w+\}/g, '[^/]+')}/?$`, 's')

function decode(pathname: string): string {
  try {
    return decodeURIComponent(pathname.replaceAll(/%2f/gi, '%252f'))
  } catch {
    return pathname
  }
}
