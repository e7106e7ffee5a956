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
/** What a character of a text takes at most. */
const characterBytesMax = 3

/** Arrays are written here and copied when their length is known; larger ones have their own room. */
const scratch = Buffer.allocUnsafeSlow(256 * 1024)

/** Null where an item is not of that type: then the driver's text has to say what it is. */
export function binaryArray(element: BinaryElement, items: readonly Item[]): Buffer | null {
  const write = writers[element]
  let bytes: Buffer = scratch
  let at = headBytes + dimensionBytes
  let hasNull = 0
  for (const item of items) {
    if (item === null) {
      hasNull = 1
      bytes = withRoom(bytes, at, lengthBytes)
      at = bytes.writeInt32BE(-1, at)
      continue
    }
    bytes = withRoom(bytes, at, lengthBytes + bytesMaxOf(item))
    const end = write(bytes, item, at + lengthBytes)
    if (end === notOfType) return null
    bytes.writeInt32BE(end - at - lengthBytes, at)
    at = end
  }
  bytes.writeInt32BE(items.length === 0 ? 0 : 1, 0)
  bytes.writeInt32BE(hasNull, 4)
  bytes.writeInt32BE(typeNumbers[element], 8)
  bytes.writeInt32BE(items.length, headBytes)
  // Arrays of the database begin at 1.
  bytes.writeInt32BE(1, headBytes + lengthBytes)
  const written = bytes.subarray(0, items.length === 0 ? headBytes : at)
  return bytes === scratch ? Buffer.from(written) : written
}

function withRoom(bytes: Buffer, at: number, room: number): Buffer {
  if (at + room <= bytes.length) return bytes
  const larger = Buffer.allocUnsafe(Math.max(bytes.length * 2, at + room))
  bytes.copy(larger, 0, 0, at)
  return larger
}

function bytesMaxOf(item: NonNullable<Item>): number {
  if (typeof item === 'string') return item.length * characterBytesMax
  return typeof item === 'object' ? item.byteLength : 8
}

/** What a writer says in place of where its item ends. */
const notOfType = -1

type Writer = (bytes: Buffer, item: NonNullable<Item>, at: number) => number

const writers: Readonly<Record<BinaryElement, Writer>> = {
  text: (bytes, item, at) =>
    typeof item === 'string' ? at + bytes.write(withoutNul(item), at) : notOfType,
  bigint(bytes, item, at) {
    if (typeof item !== 'number' || !Number.isSafeInteger(item)) return notOfType
    const high = Math.floor(item / highFactor)
    return bytes.writeUInt32BE(item - high * highFactor, bytes.writeInt32BE(high, at))
  },
  integer(bytes, item, at) {
    const isInteger = Number.isSafeInteger(item) && Math.abs(Number(item)) <= integerMax
    return isInteger ? bytes.writeInt32BE(Number(item), at) : notOfType
  },
  'double precision': (bytes, item, at) =>
    typeof item === 'number' ? bytes.writeDoubleBE(item, at) : notOfType,
  boolean: (bytes, item, at) =>
    typeof item === 'boolean' ? bytes.writeUInt8(item ? 1 : 0, at) : notOfType,
  bytea(bytes, item, at) {
    if (!(item instanceof Uint8Array)) return notOfType
    bytes.set(item, at)
    return at + item.byteLength
  },
}

/**
 * PostgreSQL's text holds every character but U+0000, which becomes the one for what is unknown. Ids
 * and other names never hold that either, so a look-up with it finds nothing.
 */
export function withoutNul(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text
}
