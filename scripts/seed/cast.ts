import type { Character, Trouble, TroubleAnswer } from './simulated-receivers.ts'

/* Who and what is in the seeded store. Hours count back from its end. */

/** Customers of a platform that sells over the web: a project each. */
export const customers = [
  { uid: 'northwind', name: 'Northwind Coffee', share: 0.24 },
  { uid: 'harbor', name: 'Harbor Freight Lines', share: 0.14 },
  { uid: 'lumen', name: 'Lumen Pay', share: 0.2 },
  { uid: 'paperplane', name: 'Paperplane CRM', share: 0.1 },
  { uid: 'tidewater', name: 'Tidewater Bank', share: 0.12 },
  { uid: 'acme', name: 'Acme Robotics', share: 0.08 },
  { uid: 'juniper', name: 'Juniper Clinics', share: 0.07 },
  { uid: 'meridian', name: 'Meridian Travel', share: 0.05 },
] as const
export type CustomerUid = (typeof customers)[number]['uid']

/** Systems that each of them has connected. `daysOld`: how long ago. */
export const systems = [
  { uid: 'orders', eventTypes: ['order.*'], daysOld: 190, what: 'Order management' },
  { uid: 'billing', eventTypes: ['invoice.*', 'payout.*'], daysOld: 171, what: 'Billing' },
  { uid: 'crm', eventTypes: ['customer.*', 'subscription.*'], daysOld: 150, what: 'CRM' },
  { uid: 'warehouse', eventTypes: ['shipment.*', 'order.paid'], daysOld: 133, what: 'Warehouse' },
  { uid: 'analytics', eventTypes: ['*'], daysOld: 120, what: 'Product analytics' },
  { uid: 'fraud', eventTypes: ['order.paid', 'dispute.*'], daysOld: 96, what: 'Fraud checks' },
  {
    uid: 'chat-relay',
    eventTypes: ['dispute.*', 'order.refunded'],
    daysOld: 80,
    what: 'Team chat',
  },
  { uid: 'erp', eventTypes: ['invoice.*', 'order.paid'], daysOld: 74, what: 'Books' },
  { uid: 'data-lake', eventTypes: ['*'], daysOld: 61, what: 'Data lake' },
  { uid: 'mobile-push', eventTypes: ['shipment.*'], daysOld: 40, what: 'Push to phones' },
  {
    uid: 'mailer',
    eventTypes: ['order.*', 'customer.created'],
    daysOld: 33,
    what: 'Mail to customers',
  },
  {
    uid: 'legacy',
    eventTypes: ['order.created'],
    daysOld: 199,
    what: 'The system before this one',
  },
  { uid: 'staging', eventTypes: ['*'], daysOld: 12, what: 'Trying things out' },
] as const
export type SystemUid = (typeof systems)[number]['uid']

const steady: Character = { latencyMs: 46, errorShare: 0.001 }
const quick: Character = { latencyMs: 14, errorShare: 0.0005, reportsSecret: true }
const slow: Character = { latencyMs: 2_300, errorShare: 0.004 }
const flaky: Character = { latencyMs: 190, errorShare: 0.07 }

const usual: Partial<Record<SystemUid, Character>> = {
  orders: quick,
  billing: quick,
  crm: { ...steady, reportsSecret: true },
  'data-lake': slow,
  'chat-relay': flaky,
  mailer: { latencyMs: 320, errorShare: 0.01 },
}
const special: Record<string, Character> = {
  'acme/analytics': { ...steady, trustsAnything: true },
  'harbor/data-lake': { ...slow, trustsAnything: true },
  'juniper/crm': { ...steady, cannotParseTwo: true },
  'meridian/analytics': flaky,
}

export function characterOf(customer: CustomerUid, system: SystemUid): Character {
  return special[`${customer}/${system}`] ?? usual[system] ?? steady
}

/** By `customer/system`: what went wrong, since when, until when. */
const troubles: Record<string, readonly [TroubleAnswer, number, number | null]> = {
  'northwind/warehouse': ['connect', 62, 47],
  'northwind/legacy': ['timeout', 160, null],
  'harbor/legacy': ['connect', 166, null],
  'harbor/fraud': ['tls', 29, null],
  'lumen/chat-relay': [429, 9, 6],
  'lumen/legacy': [410, 34, null],
  'lumen/data-lake': [502, 100, 93],
  'paperplane/mobile-push': [301, 75, null],
  'tidewater/erp': [401, 21, null],
  'tidewater/legacy': ['dns', 150, null],
  'acme/erp': [502, 13, 11],
  'juniper/data-lake': ['timeout', 5, null],
  'meridian/legacy': ['connect', 158, null],
  'meridian/mailer': [429, 50, 49],
}

export function troublesOf(customer: CustomerUid, system: SystemUid, endsAt: number): Trouble[] {
  const trouble = troubles[`${customer}/${system}`]
  if (trouble === undefined) return []
  const [answer, sinceHours, untilHours] = trouble
  return [
    {
      answer,
      since: hoursBefore(endsAt, sinceHours),
      until: untilHours === null ? null : hoursBefore(endsAt, untilHours),
    },
  ]
}

/** Formats other than the standard one; the public key needs no hand. */
export const otherFormats: Record<string, { format?: string; algorithm?: 'ed25519' }> = {
  'lumen/mailer': { format: 'stripe' },
  'acme/mailer': { format: 'github' },
  'juniper/mailer': { format: 'h-company' },
  'tidewater/billing': { algorithm: 'ed25519' },
  'lumen/analytics': { algorithm: 'ed25519' },
}

export function hoursBefore(time: number, hours: number): number {
  return time - hours * 3_600_000
}

type Make = (number: number, pick: (most: number) => number) => object

/** What is published, how often beside the others, and an example of its data. */
export const eventTypes: readonly {
  name: string
  weight: number
  description: string
  data: Make
}[] = [
  {
    name: 'order.created',
    weight: 24,
    description: 'An order was placed.',
    data: (number, pick) => ({
      order_id: `ord_${100_000 + number}`,
      currency: 'EUR',
      total: 500 + pick(24_000),
      lines: 1 + pick(6),
    }),
  },
  {
    name: 'order.paid',
    weight: 20,
    description: 'The money for an order has arrived.',
    data: (number, pick) => ({
      order_id: `ord_${100_000 + number}`,
      payment_method: ['card', 'transfer', 'wallet'][pick(3)],
      total: 500 + pick(24_000),
    }),
  },
  {
    name: 'order.refunded',
    weight: 2,
    description: 'An order was paid back, in whole or in part.',
    data: (number, pick) => ({ order_id: `ord_${100_000 + number}`, amount: 500 + pick(9_000) }),
  },
  {
    name: 'shipment.dispatched',
    weight: 14,
    description: 'A parcel has left the warehouse.',
    data: (number, pick) => ({
      shipment_id: `shp_${number}`,
      carrier: ['Harbor', 'PostNord', 'Bluebird'][pick(3)],
      parcels: 1 + pick(3),
    }),
  },
  {
    name: 'shipment.delivered',
    weight: 12,
    description: 'A parcel was handed over.',
    data: (number) => ({ shipment_id: `shp_${number}`, signed_by: 'front desk' }),
  },
  {
    name: 'invoice.finalized',
    weight: 9,
    description: 'An invoice has its number and can be paid.',
    data: (number, pick) => ({ invoice_id: `inv_${number}`, amount_due: 900 + pick(90_000) }),
  },
  {
    name: 'invoice.paid',
    weight: 7,
    description: 'An invoice was paid.',
    data: (number, pick) => ({ invoice_id: `inv_${number}`, amount_paid: 900 + pick(90_000) }),
  },
  {
    name: 'payout.sent',
    weight: 3,
    description: 'Money is on its way to the merchant.',
    data: (number, pick) => ({ payout_id: `po_${number}`, amount: 10_000 + pick(900_000) }),
  },
  {
    name: 'customer.created',
    weight: 6,
    description: 'Somebody signed up.',
    data: (number) => ({ customer_id: `cus_${number}`, country: 'DE' }),
  },
  {
    name: 'subscription.renewed',
    weight: 5,
    description: 'A subscription went on for another period.',
    data: (number, pick) => ({ subscription_id: `sub_${number}`, months: 1 + pick(12) }),
  },
  {
    name: 'dispute.opened',
    weight: 1,
    description: 'A customer disputes a payment.',
    data: (number, pick) => ({ dispute_id: `dp_${number}`, amount: 500 + pick(20_000) }),
  },
]
