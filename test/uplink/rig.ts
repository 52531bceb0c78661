/** An uplink under test: fake outbox, real clock, short times; what it says is recorded. */
import { vi } from 'vitest'
import { native } from '../../src/dialects/native/index.ts'
import type { UplinkSettings } from '../../src/model/site.ts'
import { createClock } from '../../src/runtime/clock.ts'
import { SILENT } from '../../src/runtime/log.ts'
import type { UplinkTimings } from '../../src/uplink/timings.ts'
import { openUplink, type Uplink, type UplinkEvent, type UplinkOptions } from '../../src/uplink/uplink.ts'
import { createFakeOutbox, type FakeOutbox, IDENTITY } from './outbox.ts'

export const CLOCK = createClock('system', {
  floorMs: 0,
  sources: {
    mono: () => performance.now(),
    wall: () => Date.now(),
    synchronised: () => true,
    errorMs: () => null,
    hardwareClock: () => true,
  },
})

export const QUICK: Partial<UplinkTimings> = {
  connectMs: 500,
  ackMs: 400,
  heartbeatMs: 60,
  backoffBaseMs: 10,
  backoffMaxMs: 50,
  tickMs: 10,
  goodbyeMs: 500,
  undeliveredMs: 40,
  undeliveredMaxMs: 80,
  undeliveredAlarmMs: 60,
  slowMs: 20,
}

export function settingsOf(servers: readonly string[], changes: Partial<UplinkSettings> = {}): UplinkSettings {
  return {
    id: 'cloud',
    dialect: 'native',
    tenant: 'demo',
    servers,
    username: null,
    password: null,
    tls: null,
    confirm: 'puback',
    backfill: { bytesPerSecond: 1_000_000, delayMs: 0 },
    budgetBytesPerDay: null,
    keepaliveS: 30,
    ...changes,
  }
}

export const INFO = { cv: 42, sha: 'c0ffee', version: '0.1.0', cpu: 0.1, disk: 0.2 }

export type Rig = FakeOutbox & {
  readonly uplink: Uplink
  readonly events: UplinkEvent[]
  /** The connection counters asked for so far. */
  readonly connections: () => number
  readonly stop: AbortController
}

export function openRig(
  servers: readonly string[],
  changes: {
    settings?: Partial<UplinkSettings>
    timings?: Partial<UplinkTimings>
    fill?: (fake: FakeOutbox) => void
  } & Partial<Pick<UplinkOptions, 'nextConnection' | 'random' | 'identity' | 'info' | 'spent'>> = {},
): Rig {
  const fake = createFakeOutbox(CLOCK.mono)
  changes.fill?.(fake)
  const events: UplinkEvent[] = []
  const stop = new AbortController()
  let connections = 0
  const uplink = openUplink({
    settings: settingsOf(servers, changes.settings),
    gateway: 'jinxiu_3_gw1',
    identity: changes.identity ?? IDENTITY,
    outbox: fake.outbox,
    nextConnection:
      changes.nextConnection ??
      (async () => {
        await Promise.resolve()
        connections += 1
        return connections
      }),
    onCut: fake.onCut,
    cutNow: async () => undefined,
    clock: CLOCK,
    dialect: native,
    log: SILENT,
    signal: stop.signal,
    info: changes.info ?? (() => INFO),
    onEvent: (event) => events.push(event),
    timings: { ...QUICK, ...changes.timings },
    ...(changes.spent === undefined ? {} : { spent: changes.spent }),
    ...(changes.random === undefined ? {} : { random: changes.random }),
  })
  return { ...fake, uplink, events, connections: () => connections, stop }
}

/** Awaited conditions, looked at often: the tests wait for nothing longer than it takes, and a loaded machine may take long. */
export async function until(condition: () => boolean): Promise<void> {
  await vi.waitUntil(condition, { interval: 3, timeout: 10_000 })
}
