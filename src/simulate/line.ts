/**
 * One RS-485 line with the devices on it, as a byte stream: requests are cut out of what comes, in whatever language (noise costs
 * bytes, as on a real line), and replies can be late, torn, damaged or somebody else's.
 */
import type { SimulatedDevice } from './devices.ts'
import type { Faults, Misdeed } from './faults.ts'

export type Later = (ms: number, job: () => void) => void

export type Slave = {
  readonly receive: (bytes: Uint8Array) => void
}

export type Line = {
  /** All that sit on it. */
  readonly devices: readonly SimulatedDevice[]
  readonly faults: Faults
  /** Timers of this line, ended with it. */
  readonly later: Later
  /** From a request's arrival to the last byte of its reply, by line speed and thinking. Left out: no time at all. */
  readonly takesMs?: (device: SimulatedDevice, bytes: { readonly asked: number; readonly replied: number }) => number
}

/** What is sent back, and in whose name. */
export type Answer = {
  readonly device: SimulatedDevice
  readonly request: Uint8Array
  readonly reply: Uint8Array
  readonly misdeed: Misdeed
}

export type Send = (bytes: Uint8Array) => void

/** A language that devices of a line speak. */
export type Speaker = {
  /** Length of the whole request at the front; null: there is none, or not all of it yet. */
  readonly cut: (bytes: Uint8Array) => number | null
  readonly serve: (line: Line, request: Uint8Array, send: Send) => void
}

/** More than the longest request of any language. Older bytes without a request in them are noise by now. */
const KEPT_MAX = 600

export function createSlave(line: Line, send: Send, speakers: readonly Speaker[]): Slave {
  let received = new Uint8Array(0)
  return {
    receive(bytes) {
      received = joined(received, bytes)
      for (let found = find(received, speakers); found !== null; found = find(received, speakers)) {
        const { speaker, start, end } = found
        const request = received.slice(start, end)
        received = received.slice(end)
        speaker.serve(line, request, send)
      }
      if (received.length > KEPT_MAX) received = received.slice(-KEPT_MAX)
    },
  }
}

/** The first whole request anywhere: what looks like the beginning of a longer one must not hide it. */
function find(
  bytes: Uint8Array,
  speakers: readonly Speaker[],
): { speaker: Speaker; start: number; end: number } | null {
  for (let start = 0; start < bytes.length; start++) {
    const rest = bytes.subarray(start)
    for (const speaker of speakers) {
      const length = speaker.cut(rest)
      if (length !== null) return { speaker, start, end: start + length }
    }
  }
  return null
}

/** Two meters at once: on the wire a 0 wins. */
export function collided(one: Uint8Array, other: Uint8Array): Uint8Array {
  const [long, short] = one.length >= other.length ? [one, other] : [other, one]
  return long.map((byte, at) => byte & (short[at] ?? 0xff))
}

/** Sends the reply when the line has carried it, and as the misdeed wants it. */
export function deliver({ later, takesMs }: Line, { device, request, reply, misdeed }: Answer, send: Send): void {
  const tookMs = takesMs?.(device, { asked: request.length, replied: reply.length }) ?? 0
  const bytes = misdeed.garbleAt === null ? reply : damaged(reply, misdeed.garbleAt)
  const pause = misdeed.splitPauseMs
  const go = (): void => {
    if (pause === null) return send(bytes)
    const half = Math.ceil(bytes.length / 2)
    send(bytes.subarray(0, half))
    later(pause, () => send(bytes.subarray(half)))
  }
  const delayMs = tookMs + misdeed.delayMs
  if (delayMs > 0) later(delayMs, go)
  else go()
}

function damaged(frame: Uint8Array, at: number): Uint8Array {
  const bad = frame.slice()
  const index = Math.floor(at * bad.length)
  bad[index] = (bad[index] ?? 0) ^ 0x55
  return bad
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}
