import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { comeInTurn } from './in-turn.js'

const DESCRIPTION = `E-mail and password accounts with JWT bearer tokens.

Every refusal is a problem document (RFC 9457, \`application/problem+json\`) with a stable \`code\`.
Unknown fields in a body are ignored; of duplicate keys the last one counts; a body has at most 16 KiB.

What is no readable request is refused before any operation, with \`malformed_request\` (400), \`request_timeout\` (408),
\`uri_too_long\` (414) or \`headers_too_large\` (431).`

/** The pages load their own files and call their own server, and nothing else. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** Serves the OpenAPI 3.1 document of all routes that are registered after it, and pages to try them on. */
export async function serveDocs(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Keyward',
        version: '1.0',
        summary: 'Self-hosted authentication',
        description: DESCRIPTION,
        license: { name: 'MIT', identifier: 'MIT' } as never,
      },
      servers: [{ url: '/', description: 'This server' }],
      tags: [
        { name: 'authentication', description: 'Accounts, tokens and profiles' },
        { name: 'services', description: 'For your own other services' },
        { name: 'health', description: 'For load balancers and supervisors' },
      ],
      components: {
        securitySchemes: {
          feed: { type: 'http', scheme: 'bearer', description: 'A `REVOCATION_FEED_TOKEN`' },
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An `access_token`' },
        },
      },
    },
    refResolver: {
      buildLocalReference: ({ $id }, _base, _fragment, i) => (typeof $id === 'string' ? $id : `schema-${i}`),
    },
  })
  await app.register(async (pages) => {
    pages.addHook('onRequest', comeInTurn)
    await pages.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: PAGE_POLICY,
      uiConfig: { layout: 'BaseLayout', persistAuthorization: false, tryItOutEnabled: true },
      theme: { title: 'Keyward API' },
    })
  })
  let document: string | null = null
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
    document ??= JSON.stringify(withOptionalBodies(app.swagger()))
    return reply.type('application/json; charset=utf-8').send(document)
  })
}

interface Described {
  readonly paths?: Record<
    string,
    Record<string, { requestBody?: { required?: boolean; content: BodyContent } }>
  >
}
type BodyContent = Record<string, { schema?: { type?: string | readonly string[] } }>

/** Every body is said to be required; one that may be null may be left out. */
function withOptionalBodies(document: object): object {
  for (const item of Object.values((document as Described).paths ?? {})) {
    for (const { requestBody } of Object.values(item)) {
      const type = requestBody?.content['application/json']?.schema?.type
      if (requestBody && Array.isArray(type) && type.includes('null')) requestBody.required = false
    }
  }
  return document
}
