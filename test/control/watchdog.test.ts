import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import koffi from 'koffi'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { feedingInterval, openWatchdog, socketAddress } from '../../src/control/watchdog.ts'
import { SILENT } from '../../src/runtime/log.ts'

/** A datagram socket as systemd has one; Node has none, so libc gives it. */
function listen(name: string): { receive: () => string | null; close: () => void } {
  const libc = koffi.load('libc.so.6')
  const bind = libc.func('int bind(int, const void *, uint32_t)')
  const recv = libc.func('long recv(int, _Out_ void *, size_t, int)')
  const fd: number = libc.func('int socket(int, int, int)')(1, 2 | 0o4000, 0)
  const address = socketAddress(name)
  if (bind(fd, address, address.length) !== 0) throw new Error(`bind failed with ${koffi.errno()}`)
  return {
    receive() {
      const bytes = Buffer.alloc(4096)
      const length = Number(recv(fd, bytes, bytes.length, 0))
      return length < 0 ? null : bytes.toString('utf8', 0, length)
    },
    close: () => void libc.func('int close(int)')(fd),
  }
}

describe('through the kernel', () => {
  let folder: string
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'gh-notify-'))))
  afterEach(() => rmSync(folder, { recursive: true }))

  test.each([['a path'], ['an abstract name']])('systemd hears ready, status and stopping on %s', async (kind) => {
    const name = kind === 'a path' ? join(folder, 'notify') : `@gatehouse-test-${process.pid}`
    const systemd = listen(name)
    const watchdog = await openWatchdog({ health: () => true, log: SILENT, env: { NOTIFY_SOCKET: name } })
    await watchdog.ready()
    expect(systemd.receive()).toBe('READY=1')
    await watchdog.status('3 of 4 devices online\nMAINPID=1')
    expect(systemd.receive()).toBe('STATUS=3 of 4 devices online MAINPID=1')
    await watchdog.stopping()
    expect(systemd.receive()).toBe('STOPPING=1')
    watchdog.close()
    systemd.close()
  })

  test('a socket that is gone is no reason to die', async () => {
    const watchdog = await openWatchdog({
      health: () => true,
      log: SILENT,
      env: { NOTIFY_SOCKET: join(folder, 'gone') },
    })
    await expect(watchdog.ready()).resolves.toBeUndefined()
    watchdog.close()
  })
})

describe('feeding', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('only from ready on, only while healthy, at a third of what is granted', async () => {
    const sent: string[] = []
    let healthy = true
    const watchdog = await openWatchdog({
      health: () => healthy,
      log: SILENT,
      env: { NOTIFY_SOCKET: '/unused', WATCHDOG_USEC: '60000000' },
      notify: async (message) => void sent.push(message),
    })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(sent).toEqual([])
    await watchdog.ready()
    await vi.advanceTimersByTimeAsync(40_000)
    expect(sent).toEqual(['READY=1', 'WATCHDOG=1', 'WATCHDOG=1'])
    healthy = false
    await vi.advanceTimersByTimeAsync(60_000)
    expect(sent).toHaveLength(3)
    healthy = true
    await vi.advanceTimersByTimeAsync(20_000)
    expect(sent).toHaveLength(4)
    watchdog.close()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(sent).toHaveLength(4)
  })

  test('nobody watches: nothing is sent', async () => {
    const watchdog = await openWatchdog({ health: () => true, log: SILENT, env: {} })
    await watchdog.ready()
    watchdog.close()
    expect(vi.getTimerCount()).toBe(0)
  })
})

test('the interval is a third, and only for this process', () => {
  expect(feedingInterval({ WATCHDOG_USEC: '60000000' })).toBe(20_000)
  expect(feedingInterval({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: String(process.pid) })).toBe(20_000)
  expect(feedingInterval({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '1' })).toBeNull()
  expect(feedingInterval({})).toBeNull()
  expect(feedingInterval({ WATCHDOG_USEC: 'soon' })).toBeNull()
})

test('addresses: a path ends in a zero byte, an abstract name begins with one', () => {
  expect([...socketAddress('/a')]).toEqual([1, 0, 0x2f, 0x61, 0])
  expect([...socketAddress('@a')]).toEqual([1, 0, 0, 0x61])
  expect(() => socketAddress('vsock:2:1234')).toThrow(/known kind/)
  expect(() => socketAddress(`/${'x'.repeat(110)}`)).toThrow(/too long/)
})
