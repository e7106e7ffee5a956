/** How a version writes an instant: in whole seconds, rounded down. */
export type WriteTime = (at: number) => string | number

/** `2026-11-01T10:10:00Z`, as in the documents. */
export const textTimes: WriteTime = (at) =>
  `${new Date(at).toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length)}Z`

/** Unix seconds, as the clients read them. */
export const epochTimes: WriteTime = (at) => Math.floor(at / 1000)
