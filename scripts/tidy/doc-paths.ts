import { posix } from 'node:path'
import type { Finding, Rule } from './rule.ts'
import type { SourceTree, TextFile } from './source-tree.ts'
import { lineAt } from './syntax.ts'

/** `server/src/app.ts`, `docs/guides/`, with or without a line number behind. */
const quotedPath =
  /`((?:server|sdk|console|docs|scripts|bench|\.ci)\/[\w@.-]+(?:\/[\w@.-]+)*\/?)(?::\d+|#[\w-]+)?`/g
/** `](target)` and `]: target`, without addresses that have a scheme and links within the page. */
const linkTarget = /\](?:\(\s*<?|:\s+)(?![a-z][a-z0-9+.-]*:|\/\/|#)([^\s)>#?]+)[^\s)>]*/gi

/** Docs that name a file name one that is there. */
export const docPaths: Rule = {
  name: 'doc-paths',
  check: (tree) =>
    tree.texts.filter(({ path }) => path.endsWith('.md')).flatMap((page) => checkPage(tree, page)),
}

function checkPage(tree: SourceTree, page: TextFile): Finding[] {
  const prose = { path: page.path, text: withoutCode(page.text) }
  const quoted = [...prose.text.matchAll(quotedPath)].map((match) => ({
    position: match.index,
    named: match[1] ?? '',
    target: match[1] ?? '',
  }))
  const linked = [...prose.text.matchAll(linkTarget)].map((match) => ({
    position: match.index,
    named: match[1] ?? '',
    target: resolveLink(page.path, match[1] ?? ''),
  }))
  return [...quoted, ...linked]
    .filter(({ target }) => !isBuilt(target) && !tree.has(target))
    .map(({ position, named }) => ({
      path: page.path,
      line: lineAt(prose, position),
      message: `names ${named}, which does not exist: correct the path`,
    }))
}

/** Fenced blocks show commands and output. Their lines stay, so that later lines keep numbers. */
function withoutCode(text: string): string {
  return text.replace(/^( *)(```+|~~~+)[\s\S]*?^\1\2 *$/gm, (block) => block.replace(/[^\n]/g, ''))
}

function resolveLink(page: string, link: string): string {
  const path = decodeURI(link)
  const target = path.startsWith('/') ? path.slice(1) : posix.join(posix.dirname(page), path)
  return target === '.' || target === './' ? '' : target
}

/** What a build makes is not in the tree. */
function isBuilt(path: string): boolean {
  return path.split('/').includes('dist')
}
