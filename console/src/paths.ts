/** Addresses of pages, below `/console`. */
export const paths = {
  project: (project: string) => `/projects/${project}`,
  endpoints: (project: string) => `/projects/${project}/endpoints`,
  endpoint: (project: string, endpoint: string) => `/projects/${project}/endpoints/${endpoint}`,
  rotation: (project: string, endpoint: string, rotation: string) =>
    `/projects/${project}/endpoints/${endpoint}/rotations/${rotation}`,
  deliveries: (project: string, query: Record<string, string> = {}) =>
    `/projects/${project}/deliveries?${new URLSearchParams(query)}`,
  delivery: (project: string, delivery: string) => `/projects/${project}/deliveries/${delivery}`,
  events: (project: string) => `/projects/${project}/events`,
  event: (project: string, event: string) => `/projects/${project}/events/${event}`,
  campaign: (campaign: string) => `/campaigns/${campaign}`,
}

/** The part of a URL by which people know an endpoint. */
export function shortUrl(url: string): string {
  return url.replace(/^https?:\/\//, '').replace(/\/$/, '')
}

/** What a person types to confirm a cut: the endpoint's own name, or its host. */
export function endpointName(endpoint: { uid: string | null; url: string }): string {
  return endpoint.uid ?? new URL(endpoint.url).host
}

/** `sec_…c41e`: enough to tell two ids apart. */
export function shortId(id: string): string {
  return id.length <= 14 ? id : `${id.slice(0, 4)}…${id.slice(-4)}`
}
