import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket } from 'node:net'

/** A way to a server on loopback that can be cut. */
export interface TcpProxy {
  port: number
  /** Ends every connection, and each new one at once. */
  cut(): void
  restore(): void
  close(): Promise<void>
}

/** `watch` is called for each connection, and gives what is told of everything the client sends. */
export async function startTcpProxy(
  targetPort: number,
  watch?: () => (chunk: Buffer) => void,
): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let isCut = false
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // What goes wrong on one side ends the other, below.
    socket.on('error', () => {})
  }
  const server = createServer((near) => {
    keep(near)
    if (isCut) return near.destroy()
    const far = connect(targetPort, '127.0.0.1')
    keep(far)
    if (watch !== undefined) near.on('data', watch())
    near.pipe(far)
    far.pipe(near)
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true
      endAll()
    },
    restore() {
      isCut = false
    },
    async close() {
      endAll()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
