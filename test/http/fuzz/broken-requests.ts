import { METHODS } from 'node:http'
import fc from 'fast-check'
import type { Operation } from './document.js'
import { type Draft, validRequest } from './valid-requests.js'

type Change = (draft: Draft) => Draft

/** Stands for a byte that no UTF-8 has. */
export const NOT_UTF8 = '{{not UTF-8}}'

/** Requests to an operation: a third of them valid, the others with up to three things changed. */
export const requestTo = (operation: Operation): fc.Arbitrary<Draft> =>
  fc.oneof(
    { weight: 1, arbitrary: validRequest(operation) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(validRequest(operation), fc.array(change(operation), { minLength: 1, maxLength: 3 }))
        .map(([draft, changes]) => changes.reduce((changed, apply) => apply(changed), draft)),
    },
  )

const change = (operation: Operation): fc.Arbitrary<Change> =>
  fc.oneof(
    { weight: 3, arbitrary: changedField(operation) },
    { weight: 3, arbitrary: otherBody },
    { weight: 2, arbitrary: otherType },
    { weight: 2, arbitrary: otherCredentials },
    { weight: 2, arbitrary: otherHeader },
    { weight: 1, arbitrary: otherMethod },
    { weight: 2, arbitrary: otherTarget },
    { weight: 2, arbitrary: otherQuery(operation) },
  )

const placeholder = fc.constantFrom(
  '{{email}}',
  '{{password}}',
  '{{refreshToken}}',
  '{{sessionId}}',
  '{{bearer}}',
)
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  placeholder,
  fc.constantFrom(
    '',
    ' ',
    '\u0000',
    '\ud800',
    '__proto__',
    "' or 1=1 --",
    'a'.repeat(5_000),
    'é'.repeat(100),
  ),
)
const value = fc.oneof(
  fc.jsonValue(),
  text,
  fc.constantFrom<unknown>(1e308, -0, 2 ** 53, [], {}, [[]], false, null),
)

function changedField({ body }: Operation): fc.Arbitrary<Change> {
  const name = fc.oneof(
    fc.constantFrom(...Object.keys(body?.properties ?? {}), 'id', 'is_active', 'constructor', 'toString', ''),
    fc.string(),
  )
  return fc.tuple(name, fc.option(value)).map(([field, other]) => ({ ...draft }: Draft) => {
    const { [field]: _, ...rest } = fieldsOf(draft.body)
    return withBody(draft, JSON.stringify(other === null ? rest : { ...rest, [field]: other }))
  })
}

function fieldsOf(body: string | null): Record<string, unknown> {
  try {
    // A deep one could be read, but not written again.
    if (body !== null && body.length > 4_000) return {}
    return Object(JSON.parse(body ?? '{}')) as Record<string, unknown>
  } catch {
    return {}
  }
}

const withBody = (draft: Draft, body: string): Draft => ({
  ...draft,
  headers: { 'content-type': 'application/json', ...draft.headers },
  body,
})

const deep = (depth: number): string => '{"a":['.repeat(depth) + ']}'.repeat(depth)
const otherBody: fc.Arbitrary<Change> = fc.oneof(
  fc.constantFrom<Change>((draft) => ({ ...draft, body: null })),
  fc
    .oneof(
      fc.json(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '',
        ' ',
        '{',
        'null',
        '[]',
        '"',
        'NaN',
        '{"a":1e999}',
        '{"__proto__":{"a":1}}',
        NOT_UTF8,
      ),
      fc.constantFrom('{"constructor":{"prototype":{}}}', deep(1_000), deep(20_000), ' '.repeat(16_385)),
    )
    .map((body) => (draft: Draft) => withBody(draft, body)),
  fc.tuple(fc.nat(300), fc.constantFrom('', '}', '\u0000', ',', '\ufeff', NOT_UTF8, '\\')).map(
    ([at, inserted]) =>
      ({ body, ...draft }: Draft) =>
        body === null
          ? { ...draft, body }
          : withBody({ ...draft, body }, body.slice(0, at) + inserted + body.slice(at)),
  ),
  fc.nat(300).map((end) => (draft: Draft) => ({ ...draft, body: draft.body?.slice(0, end) ?? null })),
  fc.constant((draft: Draft) => withBody(draft, `${draft.body ?? ''}${draft.body ?? ''}`)),
)

const withHeader =
  (name: string, content: string): Change =>
  (draft) => ({ ...draft, headers: { ...draft.headers, [name]: content } })

/** As Node's parser lets them through: bytes beyond ASCII, and no control character but the tab. */
const headerText = fc.oneof(
  fc.stringMatching(/^[\t -~\u0080-\u00ff]{0,60}$/),
  fc.constantFrom('', ',', ';', '"', '*', 'a'.repeat(8_000)),
)

const otherType: fc.Arbitrary<Change> = fc
  .oneof(
    headerText,
    fc.constantFrom(
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/json',
    ),
    fc.constantFrom(
      'application/json; charset=utf-16',
      'application/json ; a',
      'application/json\t',
      'APPLICATION/JSON',
    ),
  )
  .map((type) => withHeader('content-type', type))

function withoutCredentials(draft: Draft): Draft {
  const { authorization: _, ...headers } = draft.headers
  return { ...draft, headers }
}

const otherCredentials: fc.Arbitrary<Change> = fc.oneof(
  fc.constant(withoutCredentials),
  fc
    .oneof(
      headerText,
      headerText.map((token) => `Bearer ${token}`),
      fc.constantFrom('Bearer {{feed}}', 'Bearer {{refreshToken}}', 'Basic eDp4', 'Bearer', '{{bearer}}'),
      fc.constantFrom(
        'bearer   {{bearer}} ',
        'Bearer {{bearer}}=',
        'Bearer {{bearer}}, Bearer x',
        'Bearer a.b.c',
      ),
    )
    .map((authorization) => withHeader('authorization', authorization)),
)

const HEADER_NAMES = [
  'accept',
  'accept-encoding',
  'cookie',
  'expect',
  'host',
  'if-none-match',
  'if-match',
  'origin',
]
const MORE_NAMES = [
  'range',
  'upgrade',
  'user-agent',
  'x-forwarded-for',
  'x-http-method-override',
  'x-request-id',
]
const otherHeader: fc.Arbitrary<Change> = fc
  .tuple(
    fc.oneof(
      fc.constantFrom(...HEADER_NAMES, ...MORE_NAMES, 'access-control-request-method', 'content-encoding'),
      fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
    ),
    headerText,
  )
  .map(([name, content]) => withHeader(name, content))

const otherMethod: fc.Arbitrary<Change> = fc
  .constantFrom(...METHODS.filter((method) => method !== 'CONNECT'))
  .map((method) => (draft) => ({ ...draft, method }))

const encodedText = fc
  .oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('\u0000', '..', '/', 'a'.repeat(101), '__proto__', '?', '#'),
  )
  .map(encodeURIComponent)
const rawText = fc.oneof(
  fc.stringMatching(/^[!-~]{0,20}$/),
  fc.constantFrom('/', '//', '%', '%zz', '%c0%af', '%ff', '%2e%2e/', '/..', ';x', '.json', '\\'),
)
const otherTarget: fc.Arbitrary<Change> = fc.oneof(
  fc
    .oneof(encodedText, rawText)
    .map((added) => (draft: Draft) => ({ ...draft, target: draft.target + added })),
  encodedText.map((segment) => (draft: Draft) => ({
    ...draft,
    target: draft.target.replace(/[^/?]+(?=$|\?)/, () => segment),
  })),
)

/** Twice the same name makes a list of it. */
function otherQuery({ parameters }: Operation): fc.Arbitrary<Change> {
  const name = fc.constantFrom(...parameters.map((each) => each.name), '__proto__', 'constructor', 'x', '')
  return fc
    .array(
      fc.tuple(name, fc.oneof(encodedText, rawText, fc.constantFrom('0', '-1', '1e3', '9'.repeat(15)))),
      {
        minLength: 1,
        maxLength: 3,
      },
    )
    .map((members) => (draft: Draft) => {
      const added = members.map(([key, content]) => `${key}=${content}`).join('&')
      return { ...draft, target: `${draft.target}${draft.target.includes('?') ? '&' : '?'}${added}` }
    })
}
