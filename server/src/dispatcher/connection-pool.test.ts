import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { ok } from '../../test/support/hostile-receivers.ts'
import { until } from '../../test/support/loopback-sender.ts'
import { createConnectionPool } from './connection-pool.ts'
import type { HttpConnection } from './http-connection.ts'
import { transportLimits } from './transport-limits.ts'

test('remembers nothing of origins to which no connection is open', async () => {
  await using receiver = await ok()
  const pool = createConnectionPool({ monotonicNow: () => 0, limits: transportLimits })
  for (let index = 0; index < 20; index++) {
    const socket = connect(receiver.port, '127.0.0.1')
    await once(socket, 'connect')
    const connection = pool.adopt(`http://${index % 10}.example`, socket)
    await answerOn(connection)
    if (index % 2 === 0) pool.release(connection)
    else connection.destroy()
  }
  await until('half of them are closed', () => pool.stats().open === 10)
  assert.deepEqual(pool.stats(), { open: 10, idle: 10, origins: 5 })
  assert.equal(pool.take('http://1.example'), null)
  const taken = pool.take('http://0.example')
  assert.ok(taken?.isReused)
  assert.deepEqual(pool.stats(), { open: 10, idle: 9, origins: 5 })
  await pool.close()
  assert.deepEqual(pool.stats(), { open: 0, idle: 0, origins: 0 })
})

/** Posts, and waits for the whole response. */
function answerOn(connection: HttpConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    const nothing = () => {}
    const handler = { onBytes: nothing, onHead: nothing, onBody: nothing, onBug: reject }
    connection.post('/', {}, '', { ...handler, onEnd: resolve, onFailure: reject })
  })
}

test('takes nothing back and closes at once after it was closed', async () => {
  await using receiver = await ok()
  const pool = createConnectionPool({ monotonicNow: () => 0, limits: transportLimits })
  await pool.close()
  const socket = connect(receiver.port, '127.0.0.1')
  await once(socket, 'connect')
  const connection = pool.adopt('http://late.example', socket)
  await answerOn(connection)
  pool.release(connection)
  assert.ok(socket.destroyed)
  await pool.close()
  await until('it is closed', () => pool.stats().open === 0)
})
