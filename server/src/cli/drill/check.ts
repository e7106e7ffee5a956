import type { SigningKey } from '../../formats/format.ts'
import type { PostAnswer, PostOptions } from '../post-delivery.ts'
import type { SignedDelivery, Signer } from '../signer.ts'

/** What a check found. `unchecked`: it could not be found out, and why. */
export interface CheckResult {
  name: string
  verdict: 'pass' | 'fail' | 'unchecked'
  /** What the receiver did, and what to do about it. */
  detail: string
}

/** One thing that a receiver must do. */
export interface Check {
  name: string
  run(subject: Subject): Promise<Omit<CheckResult, 'name'>>
}

/** The receiver under test, and what is known of it. */
export interface Subject {
  signer: Signer
  /** With which the receiver verifies now. */
  key: SigningKey
  /** The text of that secret. */
  secret: string
  /** Of the secret that the receiver was given as well, for a rotation; null where there is none. */
  newKey: SigningKey | null
  /** How long the receiver may take. */
  answerWithinMs: number
  now(): number
  randomBytes(size: number): Uint8Array
  /** A delivery of a new event, signed now with `key` unless this says otherwise. */
  deliver(options?: DeliverOptions): SignedDelivery
  post(delivery: SignedDelivery, how?: Pick<PostOptions, 'inParts'>): Promise<PostAnswer>
  /** How many events have taken effect; null where the receiver was not asked to tell. */
  countEffects(): Promise<number | null>
}

export interface DeliverOptions {
  /** JSON text of an object, embedded as it is. */
  data?: string
  keys?: readonly SigningKey[]
  /** When it claims to be signed, relative to now. */
  signedAfterMs?: number
  /** The same event again. */
  id?: string
}

export function isTaken({ statusCode }: PostAnswer): boolean {
  return statusCode !== null && statusCode >= 200 && statusCode < 300
}

/** It looked at the request and said no; not where it broke or was not there. */
export function isRefused({ statusCode }: PostAnswer): boolean {
  return statusCode !== null && statusCode >= 400 && statusCode < 500
}

export function describeAnswer({ statusCode, error }: PostAnswer): string {
  return statusCode === null ? `no answer (${error})` : `${statusCode}`
}

export function pass(detail: string): Omit<CheckResult, 'name'> {
  return { verdict: 'pass', detail }
}

export function fail(detail: string): Omit<CheckResult, 'name'> {
  return { verdict: 'fail', detail }
}

export function unchecked(detail: string): Omit<CheckResult, 'name'> {
  return { verdict: 'unchecked', detail }
}
