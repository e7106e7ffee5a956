import type { Attempt, Delivery } from '@countersign/sdk'

type AttemptError = NonNullable<Attempt['error']>

/** In a few words, for tables. */
const names: Record<AttemptError, string> & Partial<Record<string, string>> = {
  dns: 'name not found',
  refused_address: 'address not allowed',
  connect: 'no connection',
  tls: 'no secure connection',
  timeout: 'no answer in time',
  reset: 'connection broken off',
  response_too_large: 'answer too large',
  redirect: 'redirect',
  http_status: 'refused',
}

const sentences: Record<AttemptError, string> = {
  dns: 'The host’s name could not be found.',
  refused_address: 'The host has an address that deliveries may not go to.',
  connect: 'Nobody took the connection.',
  tls: 'No secure connection came about.',
  timeout: 'The receiver did not answer in time.',
  reset: 'The receiver broke the connection off.',
  response_too_large: 'The answer was too large to be read.',
  redirect: 'The receiver sent it elsewhere; redirects are not followed.',
  http_status: 'The receiver refused it.',
}

/** Probes may end with an error of a later server. */
export function nameOfError(error: string): string {
  return names[error] ?? error.replaceAll('_', ' ')
}

export function describeAttemptError(error: AttemptError): string {
  return sentences[error]
}

const reasons: Record<NonNullable<Delivery['failureReason']>, string> = {
  exhausted: 'every attempt of its schedule failed',
  gone: 'the receiver answered 410, so it is not tried again',
  endpoint_deleted: 'the endpoint was deleted',
  refused: 'it may not be sent',
}

/** Why a delivery will not be tried again. */
export function describeFailure(reason: NonNullable<Delivery['failureReason']>): string {
  return reasons[reason]
}
