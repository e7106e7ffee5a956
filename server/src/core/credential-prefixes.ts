/**
 * What each kind of credential begins with. Whoever makes one takes its prefix from here, so that
 * the log knows them all (`server/src/logger.ts`). Composio's keys and the secrets of some formats
 * have none: they are 64 hex digits.
 */
export const credentialPrefixes = {
  apiKey: 'csk_',
  portalToken: 'cpt_',
  claimToken: 'ccl_',
  /** The private half of a key pair that signs. */
  privateKey: 'whsk_',
  /** What nearly all systems put before a webhook secret, whatever they make of the rest. */
  secret: 'whsec_',
  mobilerunKey: 'dr_sk_',
  hCompanyKey: 'hk-',
  devtuneKey: 'dtk_live_',
  dinieClientSecret: 'dinie_cs_live_',
  dinieAccessToken: 'dinie_at_',
} as const
