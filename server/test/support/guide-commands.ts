/** One `curl` of a guide. */
export interface GuideCommand {
  line: string
  method: string
  /** From the server's root, with the variables of the guide's shell filled in. */
  path: string
  query: string[]
  /** Members of the JSON body. */
  members: string[]
}

/** The commands in the `sh` blocks of a page, as the shell would read them. */
export function readGuideCommands(page: string, variables: Record<string, string>): GuideCommand[] {
  const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block = '']) => block)
  return blocks
    .join('\n')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .flatMap((line) => {
      const command = /\bcurl\b[^|)]*/.exec(line)?.[0]
      return command === undefined ? [] : [readCommand(command, variables)]
    })
}

/** Names in backticks that are written as fields are: `expire_current_in`, `"force":true`. */
export function readGuideNames(page: string): string[] {
  const prose = page.replace(/^```[\s\S]*?^```/gm, '')
  const spans = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span)
  const names = spans.flatMap((span) => [
    ...[...span.matchAll(/"([a-z_]+)":/g)].map(([, name = '']) => name),
    ...(/^[a-z]+(_[a-z0-9]+)+$/.test(span) ? [span] : []),
  ])
  return [...new Set(names)]
}

function readCommand(line: string, variables: Record<string, string>): GuideCommand {
  const filled = line.replace(/\$(\w+)/g, (whole, name: string) => variables[name] ?? whole)
  const body = /(?:-d|--data)\s+'([^']*)'/.exec(filled)?.[1]
  const target = /(?:^|[\s"])(\/v1\/[^\s"]*)/.exec(filled)?.[1] ?? ''
  const method = /-X\s+(\w+)/.exec(filled)?.[1] ?? (body === undefined ? 'GET' : 'POST')
  const { pathname, searchParams } = new URL(target, 'http://guide.example')
  return {
    line,
    method,
    path: pathname,
    query: [...searchParams.keys()],
    members: body === undefined ? [] : Object.keys(JSON.parse(body) as object),
  }
}
