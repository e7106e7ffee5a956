/** The types of its clients and of its older documents (dialects.md 5.6). */
export const publishedTypes: readonly string[] = [
  ...['customer.created', 'customer.under_review', 'customer.active', 'customer.denied'],
  ...['customer.kyc_updated', 'credit_offer.available', 'credit_offer.expired'],
  ...['loan.created', 'loan.signature_received', 'loan.processing', 'loan.active'],
  ...['loan.payment_received', 'loan.finished', 'loan.cancelled', 'loan.error'],
  ...['loan.contract_generated', 'loan.awaiting_signatures', 'loan.signed', 'loan.disbursing'],
]

/** `*`, and `resource.*` for each resource that has types. */
export const wildcards: readonly string[] = [
  '*',
  ...new Set(publishedTypes.map((type) => `${type.slice(0, type.indexOf('.'))}.*`)),
]
