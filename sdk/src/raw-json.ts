/**
 * JSON text that is sent as it stands; made by `rawJson`.
 *
 * @example
 * const data: RawJson = rawJson('{"balance": 90071992547409931}')
 * console.log(data.text)
 */
export class RawJson {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /**
   * Reached only where the wrapper is nested inside other data, where its text would be lost.
   * @internal
   */
  toJSON(): never {
    throw new TypeError('rawJson() must be the whole of `data`, not a part of it')
  }
}

/**
 * Wraps JSON text that must reach receivers byte for byte, such as numbers beyond 2^53 that
 * JavaScript cannot hold. Takes the place of an event's `data`.
 *
 * @throws TypeError if the text is not exactly one JSON value. The message does not repeat it.
 * @example
 * await client.events.publish(project, {
 *   type: 'ledger.closed',
 *   data: rawJson('{"balance": 90071992547409931}'),
 * })
 */
export function rawJson(text: string): RawJson {
  // Also what keeps the text from closing `data` and adding fields beside it.
  if (!isJson(text)) throw new TypeError('rawJson() needs the text of one JSON value')
  return new RawJson(text)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
