/**
 * Reads a `.dockerignore` and tells of a path, from the root and with forward slashes, whether it is
 * kept out of a build. As there: the last line that fits decides, `!` takes a path in again, and a
 * line that fits a folder fits everything below it.
 */
export function readIgnoreList(text: string): (path: string) => boolean {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ isIgnored: !line.startsWith('!'), pattern: patternOf(line) }))
  return (path) => lines.findLast(({ pattern }) => pattern.test(path))?.isIgnored ?? false
}

/** Unlike a shell's, a `*` here stands for names that begin with a dot, too. */
function patternOf(line: string): RegExp {
  const source = line
    .replace(/^!/, '')
    .replaceAll(/^\/|\/$/g, '')
    .replaceAll(/\*\*\/|\*\*|[*?]|[.+^$()[\]{}|\\]/g, (part) => wildcards[part] ?? `\\${part}`)
  return new RegExp(`^${source}(?:/|$)`)
}

const wildcards: Readonly<Record<string, string>> = {
  '**/': '(?:.*/)?',
  '**': '.*',
  '*': '[^/]*',
  '?': '[^/]',
}
