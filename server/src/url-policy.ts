import type { UrlPolicy } from './actions/action-context.ts'
import { limits } from './core/limits.ts'
import type { AddressGuard } from './dispatcher/address-guard.ts'

/**
 * The address guard as the actions see it. A name that does not resolve, or not within two
 * seconds, is accepted when an endpoint is made: it is checked again at every attempt.
 */
export function createUrlPolicy(guard: AddressGuard): UrlPolicy {
  return {
    problemOf(url) {
      const check = guard.checkUrl(url)
      return check.ok ? null : check.detail
    },
    async addressProblemOf(url) {
      const check = guard.checkUrl(url)
      if (!check.ok) return check.detail
      const lookup = guard.resolve(check.url.hostname)
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<null>((resolve) => {
        timer = setTimeout(() => resolve(null), limits.dnsLookupAtCreateMs)
      })
      const resolution = await Promise.race([lookup, late])
      clearTimeout(timer)
      if (resolution === null || resolution.ok || resolution.reason === 'dns') return null
      return resolution.detail
    },
  }
}
