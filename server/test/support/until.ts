/** Waits for a condition, never for a time. Fails with the sentence when it does not come true. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 20_000,
): Promise<void> {
  const endsAt = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() > endsAt) throw new Error(`This did not come true in ${timeoutMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
