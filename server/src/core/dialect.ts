/** The systems whose API is served beside the native one, each in its own wire shapes. */
export const dialectNames = ['mobilerun', 'composio', 'h-company', 'devtune', 'dinie'] as const
export type DialectName = (typeof dialectNames)[number]
