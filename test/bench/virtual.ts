/**
 * Time that passes only when something happens, and an RS-485 line in it: bytes take as long as the line setting says, devices
 * think, and hear what is sent with their own setting. An hour of a slow line is measured in seconds.
 */
import type { Line } from '../../src/model/site.ts'
import { rtu } from '../../src/protocols/modbus/framing.ts'
import { buildReply } from '../../src/protocols/modbus/pdu.ts'
import type { OpenPipe } from '../../src/transport/open.ts'
import type { Ending, Pipe } from '../../src/transport/transport.ts'

type Timer = { readonly at: number; readonly number: number; readonly job: () => void; done: boolean }

export type VirtualTime = {
  readonly mono: () => number
  readonly after: (ms: number, job: () => void) => void
  /** Whatever is due until then happens, in its order. */
  readonly run: (ms: number) => Promise<void>
  /** The process has its own time back. */
  readonly end: () => void
}

/** Takes the place of setTimeout for as long as it lasts. */
export function virtualTime(): VirtualTime {
  const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout }
  const queue: Timer[] = []
  let now = 0
  let number = 0
  function schedule(job: () => void, ms = 0): Timer {
    number += 1
    const timer: Timer = { at: now + Math.max(0, ms), number, job, done: false }
    let at = queue.length
    while (at > 0 && isLater(queue[at - 1], timer)) at -= 1
    queue.splice(at, 0, timer)
    return timer
  }
  function cancel(timer: Timer | undefined): void {
    if (timer !== undefined) timer.done = true
  }
  globalThis.setTimeout = schedule as unknown as typeof setTimeout
  globalThis.clearTimeout = cancel as unknown as typeof clearTimeout
  return {
    mono: () => now,
    after: (ms, job) => void schedule(job, ms),
    async run(ms) {
      const until = now + ms
      for (let next = queue[0]; next !== undefined && next.at <= until; next = queue[0]) {
        queue.shift()
        if (next.done) continue
        now = next.at
        next.job()
        // What promises have to say about it comes before the next moment.
        await new Promise((resolve) => setImmediate(resolve))
      }
      now = until
    },
    end() {
      Object.assign(globalThis, real)
    },
  }
}

function isLater(one: Timer | undefined, other: Timer): boolean {
  return one !== undefined && (one.at > other.at || (one.at === other.at && one.number > other.number))
}

export type Station = { readonly unit: number; readonly line: Line }
export type Traffic = {
  exchanges: number
  /** Request, the device's thinking, answer, and the silence that must follow. */
  usedMs: number
  /** Of the line setting. */
  changes: number
}

const THINK_MS = 25
const SPEED_CHANGE_MS = 3
const OPEN_MS = 15

function characterMs({ baud, dataBits, parity, stopBits }: Line): number {
  return ((1 + dataBits + (parity === 'N' ? 0 : 1) + stopBits) * 1000) / baud
}

/** Modbus RTU units on one pair, each with its own line setting; every register holds its unit. */
export function virtualPair(
  time: VirtualTime,
  stations: readonly Station[],
): { readonly openPipe: OpenPipe; readonly traffic: Traffic } {
  const traffic: Traffic = { exchanges: 0, usedMs: 0, changes: 0 }
  const byUnit = new Map(stations.map((station) => [station.unit, station]))
  const openPipe: OpenPipe = async (_wire, opened) => {
    await new Promise<void>((resolve) => time.after(OPEN_MS, resolve))
    let line = opened
    let listener: (bytes: Uint8Array) => void = () => undefined
    let finish: (end: Ending) => void = () => undefined
    const closed = new Promise<Ending>((resolve) => {
      finish = resolve
    })
    const pipe: Pipe = {
      kind: 'pipe',
      closed,
      onData(wanted) {
        listener = wanted
      },
      write(request) {
        const unit = request[0] ?? 0
        const station = byUnit.get(unit)
        if (station === undefined || station.line.baud !== line.baud || station.line.parity !== line.parity) return
        const count = ((request[4] ?? 0) << 8) | (request[5] ?? 0)
        const content = new Uint8Array(2 * count).fill(unit)
        const reply = rtu.frame(
          { address: unit, body: buildReply({ fc: 3, content }), writes: false, answerBytes: 0 },
          0,
        )
        const tookMs = (request.length + reply.length) * characterMs(line) + THINK_MS
        traffic.exchanges += 1
        traffic.usedMs += tookMs + rtu.quietMs(line)
        time.after(tookMs, () => listener(reply))
      },
      async close() {
        finish({ kind: 'ending', fault: { kind: 'closed' }, why: 'closed' })
        await closed
      },
      async retune(wanted) {
        if (wanted.parity !== line.parity || wanted.stopBits !== line.stopBits) return false
        await new Promise<void>((resolve) => time.after(SPEED_CHANGE_MS, resolve))
        line = wanted
        traffic.changes += 1
        return true
      },
    }
    return pipe
  }
  return { openPipe, traffic }
}
