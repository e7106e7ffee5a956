import { Buffer } from 'node:buffer'

/**
 * Arrays as PostgreSQL reads them fastest. The driver writes them as text, in which each quote of a
 * payload is escaped here and unescaped there: most of what a batch of events cost to send.
 */
export type BinaryElement = 'bigint' | 'integer' | 'double precision' | 'text' | 'boolean' | 'bytea'

type Item = string | number | boolean | null | Uint8Array

/** The numbers under which the database knows the types of elements. */
const typeNumbers: Readonly<Record<BinaryElement, number>> = {
  boolean: 16,
  bytea: 17,
  bigint: 20,
  integer: 23,
  text: 25,
  'double precision': 701,
}

const headBytes = 12
const dimensionBytes = 8
const lengthBytes = 4
const highFactor = 2 ** 32
const integerMax = 2 ** 31 - 1

/** Null where an item is not of that type: then the driver's text has to say what it is. */
export function binaryArray(element: BinaryElement, items: readonly Item[]): Buffer | null {
  if (!items.every((item) => item === null || isOf(element, item))) return null
  const lengths = items.map((item) => (item === null ? -1 : lengthOf(element, item)))
  const contentBytes = lengths.reduce((sum, length) => sum + lengthBytes + Math.max(length, 0), 0)
  const hasItems = items.length > 0
  const bytes = Buffer.allocUnsafe(headBytes + (hasItems ? dimensionBytes + contentBytes : 0))
  let at = bytes.writeInt32BE(hasItems ? 1 : 0, 0)
  at = bytes.writeInt32BE(lengths.includes(-1) ? 1 : 0, at)
  at = bytes.writeInt32BE(typeNumbers[element], at)
  if (!hasItems) return bytes
  at = bytes.writeInt32BE(items.length, at)
  // Arrays of the database begin at 1.
  at = bytes.writeInt32BE(1, at)
  for (const [index, item] of items.entries()) {
    at = bytes.writeInt32BE(lengths[index] ?? -1, at)
    if (item !== null) at = writeItem(bytes, element, item, at)
  }
  return bytes
}

function isOf(element: BinaryElement, item: Item): boolean {
  switch (element) {
    case 'bigint':
      return Number.isSafeInteger(item)
    case 'integer':
      return Number.isSafeInteger(item) && Math.abs(Number(item)) <= integerMax
    case 'double precision':
      return typeof item === 'number'
    case 'text':
      return typeof item === 'string'
    case 'boolean':
      return typeof item === 'boolean'
    case 'bytea':
      return item instanceof Uint8Array
  }
}

function lengthOf(element: BinaryElement, item: NonNullable<Item>): number {
  if (typeof item === 'string') return Buffer.byteLength(item)
  if (typeof item === 'number') return element === 'integer' ? 4 : 8
  return typeof item === 'boolean' ? 1 : item.byteLength
}

/** Returns where the next item begins. */
function writeItem(
  bytes: Buffer,
  element: BinaryElement,
  item: NonNullable<Item>,
  at: number,
): number {
  if (typeof item === 'string') return at + bytes.write(item, at)
  if (typeof item === 'boolean') return bytes.writeUInt8(item ? 1 : 0, at)
  if (typeof item !== 'number') {
    bytes.set(item, at)
    return at + item.byteLength
  }
  if (element === 'integer') return bytes.writeInt32BE(item, at)
  if (element === 'double precision') return bytes.writeDoubleBE(item, at)
  const high = Math.floor(item / highFactor)
  return bytes.writeUInt32BE(item - high * highFactor, bytes.writeInt32BE(high, at))
}
