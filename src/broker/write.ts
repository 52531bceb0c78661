/**
 * Writing to a device that publishes: judged like a write on a wire, told once, and proven by what the device then says of itself.
 * A broker's word that it took the message is no proof, and neither is what the device said before.
 */
import { type LastWrite, because, mayWrite, notProven, sameValue } from '../bus/write.ts'
import type { View } from '../image/image.ts'
import type { WriteOutcome, WriteRequest } from '../model/command.ts'
import { causeText, type Fault } from '../model/fault.ts'
import type { Point, Value } from '../model/point.ts'
import type { Device } from '../model/site.ts'
import { payloadCodec } from '../protocols/all.ts'
import { sleep } from '../runtime/timer.ts'

export type TellerOptions = {
  /** All devices and points of the site. */
  readonly devices: readonly Device[]
  readonly points: readonly Point[]
  /** null: it reached a broker. */
  readonly publish: (topic: string, payload: string) => Promise<Fault | null>
  readonly image: View
  /** Called after each turn with the points whose sample is new. Returns the way to stop. */
  readonly onTurn: (listener: (points: readonly number[]) => void) => () => void
  readonly mono: () => number
  /** How long a device may take to say its new state. Default 5 s: what radio and a busy bridge need. */
  readonly confirmMs?: number
}

const CONFIRM_MS = 5000

/** For points of devices with a topic. Never rejects for what a device does; the signal ends the wait for its word. */
export function createTeller(
  options: TellerOptions,
): (request: WriteRequest, signal: AbortSignal) => Promise<WriteOutcome> {
  const lastWrites = new Map<number, LastWrite>()

  /** What the device said of the point since; `listen` before telling, so that a quick answer is not missed. */
  function listen(point: Point, wanted: Value, since: number) {
    let found: (() => void) | null = null
    let confirmed = false
    const look = (): void => {
      const sample = options.image.get(point.index)
      if (sample.mono < since || sample.quality !== 'good') return
      if (!sameValue(point, { wanted, got: sample.value })) return
      confirmed = true
      found?.()
    }
    const stop = options.onTurn((changed) => {
      if (changed.includes(point.index)) look()
    })
    return {
      stop,
      async confirmed(signal: AbortSignal): Promise<boolean> {
        const enough = new AbortController()
        found = () => enough.abort()
        if (!confirmed) await sleep(options.confirmMs ?? CONFIRM_MS, AbortSignal.any([signal, enough.signal]))
        return confirmed
      },
    }
  }

  async function confirm(
    point: Point,
    value: Value,
    ear: ReturnType<typeof listen>,
    { since, signal }: { since: number; signal: AbortSignal },
  ): Promise<WriteOutcome> {
    if (await ear.confirmed(signal)) return { outcome: 'done', readBack: value }
    const sample = options.image.get(point.index)
    if (sample.mono < since)
      return { outcome: 'unknown', ...because('read_back', 'the device said nothing', '设备没有回报新状态') }
    const found = sample.quality === 'bad' ? { fault: sample.cause } : { value: sample.value }
    return { outcome: 'unknown', ...notProven(null, { point: point.index, ...found }) }
  }

  return async ({ point: index, value, role }, signal) => {
    const point = options.points[index]
    if (point === undefined) throw new RangeError(`no point ${index}`)
    const link = options.devices[point.device]?.link
    const codec = link?.kind === 'topic' ? payloadCodec(link.codec) : null
    if (link?.kind !== 'topic' || codec === null)
      throw new RangeError(`point ${point.id} is not of a device that publishes`)
    const last = lastWrites.get(index) ?? null
    // Samples are told apart by the millisecond.
    const since = Math.floor(options.mono())
    const refusal = mayWrite(point, value, { role, last, now: since })
    if (refusal !== null) return { outcome: 'refused', ...refusal }
    const telling = codec.write(link.topic, point, value)
    if (typeof telling === 'string') return { outcome: 'refused', cause: `value: ${telling}` }
    // Counted before it is sent: of two commands at the same moment the second must see the first.
    lastWrites.set(index, { value, mono: since })
    const ear = listen(point, value, since)
    try {
      const fault = await options.publish(telling.topic, telling.payload)
      if (fault !== null) {
        if (last === null) lastWrites.delete(index)
        else lastWrites.set(index, last)
        return { outcome: 'refused', cause: causeText(fault) }
      }
      if (point.write?.readBack !== true)
        return { outcome: 'unknown', ...because('no read back', 'only told', '已发出，该点不回读') }
      return await confirm(point, value, ear, { since, signal })
    } finally {
      ear.stop()
    }
  }
}
