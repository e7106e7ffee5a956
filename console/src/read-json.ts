/** What JSON text says. Throws an error for people where it is none; empty text is `undefined`. */
export function readJson(name: string, text: string): unknown {
  if (text.trim() === '') return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    const place = error instanceof Error ? error.message : String(error)
    throw new Error(`${name} is no JSON: look for a missing quote, comma or bracket. (${place})`, {
      cause: error,
    })
  }
}
