import type { Attempt } from '@countersign/sdk'

/** The request for a shell. The body is not kept with the attempt, so it is read from a file. */
export function curlOf({ request }: Pick<Attempt, 'request'>): string {
  const headers = Object.entries(request.headers)
    .filter(([name]) => !/^(?:host|content-length|connection|accept-encoding)$/i.test(name))
    .map(([name, value]) => `  -H ${quote(`${name}: ${value}`)} \\`)
  return [
    `curl -X ${request.method} ${quote(request.url)} \\`,
    ...headers,
    '  --data-binary @body.json',
  ].join('\n')
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** The signatures of a request that carries them in one header, in the order of its secrets. */
export function signaturesOf({ request }: Pick<Attempt, 'request'>): string[] {
  const header = Object.entries(request.headers).find(([name]) => /signature$/i.test(name))
  return header === undefined ? [] : header[1].split(' ')
}
