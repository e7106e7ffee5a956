/**
 * The compiler renames the files that are imported, and not those that are named by
 * `new URL('./entry.ts', import.meta.url)`, by which threads and assets are found.
 */
export function nameCompiledEntries(code: string): string {
  return code.replace(entryUrl, (_, before: string, after: string) => `${before}.js${after}`)
}

const entryUrl = /(new URL\(\s*['"]\.{1,2}\/[^'"]*)\.ts(['"],\s*import\.meta\.url\s*\))/g
