import { isIP } from 'node:net'

/** One subscriber has a whole /64 of IPv6, so its addresses count as one. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address
  const [head = '', tail = ''] = address.toLowerCase().split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === '' ? [] : tail.split(':')
  if (address.includes('.')) return address
  const zeros = address.includes('::') ? 8 - first.length - last.length : 0
  const groups = [...first, ...Array.from({ length: zeros }, () => '0'), ...last]
  return groups.slice(0, 4).join(':')
}
