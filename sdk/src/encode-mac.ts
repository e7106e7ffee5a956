/** Standard base64 with padding. */
export function encodeMacBase64(mac: Uint8Array): string {
  return btoa(String.fromCharCode(...mac))
}

/** Lower-case hex. */
export function encodeMacHex(mac: Uint8Array): string {
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
