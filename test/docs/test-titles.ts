import ts from 'typescript'

const ROOTS = ['test', 'it', 'describe']

/** The name at the bottom of `test`, `test.each`, `test.each(…)`, and the names on the way up from it. */
function rootOf(node: ts.Node): { name: string; modifiers: string[] } | null {
  if (ts.isIdentifier(node)) return { name: node.text, modifiers: [] }
  if (ts.isCallExpression(node)) return rootOf(node.expression)
  if (!ts.isPropertyAccessExpression(node)) return null
  const root = rootOf(node.expression)
  return root && { name: root.name, modifiers: [...root.modifiers, node.name.text] }
}

/** As it stands in the source: of a template that is filled in, the text between the backticks. */
function titleOf(argument: ts.Node | undefined, source: ts.SourceFile): string | null {
  if (argument === undefined) return null
  if (ts.isStringLiteralLike(argument)) return argument.text
  return ts.isTemplateExpression(argument) ? argument.getText(source).slice(1, -1) : null
}

/** Every test and `describe` of a file, as the titles on the way to it; not those that are skipped or yet to be written. */
export function readTitlePaths(text: string): string[][] {
  const source = ts.createSourceFile('test.ts', text, ts.ScriptTarget.Latest, true)
  const names = new Set(ROOTS)
  const paths: string[][] = []

  function visit(node: ts.Node, path: readonly string[]): void {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer) {
      // `const onPosix = test.skipIf(…)`
      const root = ts.isCallExpression(node.initializer) && rootOf(node.initializer)
      if (root && names.has(root.name)) names.add(node.name.text)
    }
    if (ts.isCallExpression(node)) {
      const root = rootOf(node.expression)
      const title = titleOf(node.arguments[0], source)
      if (root && names.has(root.name) && title !== null) {
        if (root.modifiers.some((modifier) => modifier === 'skip' || modifier === 'todo')) return
        const own = [...path, title]
        paths.push(own)
        ts.forEachChild(node, (child) => visit(child, own))
        return
      }
    }
    ts.forEachChild(node, (child) => visit(child, path))
  }

  visit(source, [])
  return paths
}
