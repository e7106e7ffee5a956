import type { Rule } from './rule.ts'

/** Longer files tell more than one story. */
const FILE_LINES_MAX = 400

/** Data tables and generated files: nothing to read from top to bottom. Path → reason. */
const exempt: Readonly<Record<string, string>> = {
  'sdk/src/api-types.ts': 'generated from docs/openapi.json',
}

/** Code and SQL stay short enough to read in one sitting. */
export const fileLength: Rule = {
  name: 'file-length',
  check: (tree) =>
    tree.texts
      .filter(
        ({ path }) => /\.(?:[cm]?[jt]sx?|sql|css|sh)$/.test(path) && !Object.hasOwn(exempt, path),
      )
      .flatMap(({ path, text }) => {
        const lines = text.replace(/\n$/, '').split('\n').length
        if (lines <= FILE_LINES_MAX) return []
        const message = `${lines} lines, at most ${FILE_LINES_MAX}: split it by what it is about`
        return [{ path, line: FILE_LINES_MAX + 1, message }]
      }),
}
