/**
 * What stands in a statement for the time of the store: null, so that the store's own clock is asked
 * (`coalesce(?::bigint, store_now())`), or the time that a test has chosen.
 */
export type StoreTime = () => number | null
