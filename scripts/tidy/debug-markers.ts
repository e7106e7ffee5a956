import type { Rule } from './rule.ts'
import { lineAt } from './syntax.ts'

/** Spelt so that this file does not find itself. */
const marker = /\b(?:X{3}|FIX(?:ME)|TO(?:DO)|HA(?:CK))\b/g

/** What is left to do is done, or written down where work is planned; the tree holds none of it. */
export const debugMarkers: Rule = {
  name: 'debug-markers',
  check: (tree) =>
    tree.texts
      .filter(({ path }) => path !== 'package-lock.json')
      .flatMap(({ path, text }) => {
        const prose = path.endsWith('.md') ? withoutQuotes(text) : text
        return [...prose.matchAll(marker)].map(({ 0: found, index }) => ({
          path,
          line: lineAt({ path, text: prose }, index),
          message: `is marked ${found}: do it now, or say in a sentence why it is as it is`,
        }))
      }),
}

/** A page may speak about a marker, in backticks. */
function withoutQuotes(markdown: string): string {
  return markdown.replace(/`[^`\n]*`/g, (quote) => ' '.repeat(quote.length))
}
