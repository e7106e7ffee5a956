import { connect as connectTcp, isIP, type Socket } from 'node:net'
import {
  connect as connectTls,
  createSecureContext,
  getCACertificates,
  type SecureContext,
} from 'node:tls'
import type { AddressGuard } from './address-guard.ts'
import type { Deadline, DeadlineWheel } from './deadline-wheel.ts'
import type { ResolvedAddress } from './name-resolver.ts'
import type { TransportLimits } from './transport-limits.ts'

/** Where a URL leads. */
export interface DialTarget {
  /** As in the URL: IPv6 in brackets. */
  readonly hostname: string
  readonly port: number
  readonly isTls: boolean
}

export type DialFailure = 'dns' | 'refused_address' | 'connect' | 'tls'

export type DialResult = { ok: true; socket: Socket } | DialFailed

export interface DialFailed {
  ok: false
  error: DialFailure
  detail: string
  /** This process may open no more connections: nothing is known of the receiver. */
  isOurShortage?: boolean
}

export interface Dialer {
  /**
   * Resolves and checks the host once, connects to one of the checked addresses and, for https,
   * verifies the certificate for the URL's host. `done` is called once, later, unless cancelled.
   * Has no time limit of its own: cancel it.
   */
  dial(target: DialTarget, done: (result: DialResult) => void): { cancel(): void }
}

export function createDialer({
  guard,
  wheel,
  limits,
  ca = [],
  openTcp = openTcpSocket,
}: {
  guard: Pick<AddressGuard, 'resolve'>
  wheel: Pick<DeadlineWheel, 'arm' | 'disarm'>
  limits: TransportLimits
  /** Certificates (PEM) that are trusted beside the usual ones. */
  ca?: readonly string[]
  /** For tests. */
  openTcp?: (address: ResolvedAddress, port: number) => Socket
}): Dialer {
  let sharedContext: SecureContext | null = null
  // Made once, at the first use: it parses every root certificate.
  const secureContext = (): SecureContext => {
    sharedContext ??= createSecureContext(
      ca.length === 0 ? {} : { ca: [...getCACertificates('default'), ...ca] },
    )
    return sharedContext
  }

  return {
    dial(target, done) {
      let cancelRace: (() => void) | null = null
      let isCancelled = false
      const open = (address: ResolvedAddress): Socket =>
        target.isTls
          ? openTlsSocket(address, target, secureContext())
          : openTcp(address, target.port)

      void guard.resolve(target.hostname).then((resolution) => {
        if (isCancelled) return
        if (!resolution.ok) {
          return done({ ok: false, error: resolution.reason, detail: resolution.detail })
        }
        const addresses = resolution.addresses.slice(0, limits.addressesTriedMax)
        cancelRace = race({ addresses, open, target, wheel, limits, done })
      })
      return {
        cancel() {
          isCancelled = true
          cancelRace?.()
        },
      }
    },
  }
}

/**
 * Tries the addresses in order, the next one when the one before fails or stays silent; the first
 * that accepts wins. For https only the winner's handshake counts: a bad certificate is an answer,
 * not a reason to look elsewhere. Returns what ends it early.
 */
function race({
  addresses,
  open,
  target,
  wheel,
  limits,
  done,
}: {
  addresses: readonly ResolvedAddress[]
  open: (address: ResolvedAddress) => Socket
  target: DialTarget
  wheel: Pick<DeadlineWheel, 'arm' | 'disarm'>
  limits: TransportLimits
  done: (result: DialResult) => void
}): () => void {
  const sockets = new Set<Socket>()
  let nextIndex = 0
  let stagger: Deadline | null = null
  let isOver = false

  const end = (winner: Socket | null): void => {
    isOver = true
    if (stagger !== null) wheel.disarm(stagger)
    for (const socket of sockets) if (socket !== winner) socket.destroy()
  }
  const fail = (failure: Omit<DialFailed, 'ok'>): void => {
    end(null)
    done({ ok: false, ...failure })
  }

  const tryNext = (): void => {
    if (stagger !== null) wheel.disarm(stagger)
    const address = addresses[nextIndex++]!
    let socket: Socket
    try {
      socket = open(address)
    } catch (error) {
      // A name that no certificate can carry is refused on the spot.
      fail(refusalOf(address, target.port, error as Error))
      return
    }
    sockets.add(socket)
    socket.on('connect', () => {
      if (isOver) return
      end(socket)
      // Over for the others; from here on a failure is a failure of the handshake.
      if (target.isTls) awaitHandshake(socket, done, () => sockets.has(socket))
      else done({ ok: true, socket })
    })
    // Stays for the socket's life: an error that nobody listens to would end the process.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (isOver) return
      sockets.delete(socket)
      if (nextIndex < addresses.length) tryNext()
      else if (sockets.size === 0) fail(refusalOf(address, target.port, error))
    })
    if (nextIndex < addresses.length) stagger = wheel.arm(limits.nextAddressAfterMs, tryNext)
  }

  tryNext()
  return () => {
    end(null)
    sockets.clear()
  }
}

/** `isWanted` turns false when the dial is cancelled. */
function awaitHandshake(
  socket: Socket,
  done: (result: DialResult) => void,
  isWanted: () => boolean,
): void {
  let isSettled = false
  const settle = (result: DialResult): void => {
    if (isSettled || !isWanted()) return
    isSettled = true
    done(result)
  }
  socket.once('secureConnect', () => settle({ ok: true, socket }))
  socket.on('error', (error: NodeJS.ErrnoException) => {
    const reason = `${error.code ?? 'unknown'}: ${error.message}`
    settle({ ok: false, error: 'tls', detail: `The TLS handshake failed (${reason}).` })
  })
  socket.once('close', () =>
    settle({ ok: false, error: 'tls', detail: 'The connection was closed in the TLS handshake.' }),
  )
}

/**
 * Its bytes are read into one buffer that all sockets share, and told by `data` as by any other
 * socket: they are only there during the event. A buffer for each read costs more than all else that
 * is done with a short answer.
 */
function openTcpSocket({ address, family }: ResolvedAddress, port: number): Socket {
  const socket = connectTcp({
    host: address,
    family,
    port,
    noDelay: true,
    autoSelectFamily: false,
    onread: {
      buffer: readBuffer,
      callback(length, bytes) {
        socket.emit('data', bytes.subarray(0, length))
        return true
      },
    },
  })
  return socket
}

const readBuffer = Buffer.allocUnsafeSlow(64 * 1024)

function openTlsSocket(
  { address, family }: ResolvedAddress,
  { hostname, port }: DialTarget,
  secureContext: SecureContext,
): Socket {
  // The name that the certificate must be for. RFC 6066: sent without a final dot, and never for
  // an address, which is instead checked against the certificate as `host`.
  const name = hostname.replace(/\.$/, '')
  const isLiteral = isIP(name) !== 0 || name.startsWith('[')
  const options = {
    host: address,
    family,
    port,
    noDelay: true,
    autoSelectFamily: false,
    secureContext,
    ALPNProtocols: ['http/1.1'],
    // Said aloud, because an environment variable can turn the default off.
    rejectUnauthorized: true,
  }
  return connectTls(isLiteral ? options : { ...options, servername: name })
}

function refusalOf(
  { address }: ResolvedAddress,
  port: number,
  { code = 'unknown' }: NodeJS.ErrnoException,
): Omit<DialFailed, 'ok'> {
  const detail = `Could not connect to ${address} port ${port} (${code}).`
  return { error: 'connect', detail, isOurShortage: shortages.has(code) }
}

/** No more descriptors for this process, or for the whole machine. */
const shortages: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE'])
