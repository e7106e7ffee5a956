/** One message of a stream of server-sent events. */
export interface StreamMessage {
  event: string
  data: string
}

/** Longest line that is taken, in characters: far more than the largest event. */
const lineLengthMax = 16 * 1024 * 1024

/**
 * Reads server-sent events as the HTML standard has them, in pieces of any size. A message that
 * the stream breaks off in is left out. `onId` is told where to go on once a message was taken.
 */
export async function* readEventStream(
  chunks: AsyncIterable<Uint8Array>,
  onId: (id: string) => void,
): AsyncGenerator<StreamMessage, void, undefined> {
  const decoder = new TextDecoder()
  let rest = ''
  let lastId: string | null = null
  let event = ''
  let data: string[] = []
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true })
    if (rest.length > lineLengthMax) throw new Error('a line of the stream is too long')
    const lines = rest.split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line !== '') {
        const [field, value] = fieldOf(line)
        if (field === 'id') lastId = value
        else if (field === 'event') event = value
        else if (field === 'data') data.push(value)
        continue
      }
      if (data.length > 0) yield { event: event || 'message', data: data.join('\n') }
      // Not before whoever reads asks for more: until then the message may be lost with them.
      if (lastId !== null) onId(lastId)
      event = ''
      data = []
    }
  }
}

/** A line without a colon is a field without a value; one that begins with it, a comment. */
function fieldOf(line: string): [string, string] {
  const colon = line.indexOf(':')
  if (colon < 0) return [line, '']
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')]
}
