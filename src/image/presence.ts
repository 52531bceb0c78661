/**
 * Is a device there that nobody asks on a wire? One that publishes or prints lines is, once a message of it was understood, and gone when its
 * bridge says so or when all values that promise to be renewed have grown old; one that promises nothing is never missed. One that is
 * composed is there while one of its values is good.
 */
import type { Fault } from '../model/fault.ts'
import type { Arrival, DeviceState, Sample } from '../model/sample.ts'
import type { Site } from '../model/site.ts'
import type { View } from './image.ts'

type DeviceArrival = Extract<Arrival, { kind: 'device' }>

export class Presence {
  readonly #promising = new Map<number, readonly number[]>()
  /** Of composed devices: what they are judged by. That no event has happened yet says nothing. */
  readonly #composed = new Map<number, readonly number[]>()
  readonly #state = new Map<number, DeviceState>()
  readonly #deviceOf: readonly number[]

  constructor(site: Pick<Site, 'devices' | 'points'>) {
    this.#deviceOf = site.points.map((point) => point.device)
    for (const device of site.devices) {
      if (device.link.kind === 'composed') {
        const judged = device.points.filter((index) => site.points[index]?.kind !== 'event')
        this.#composed.set(device.index, judged)
      }
      if (device.link.kind !== 'topic' && device.link.kind !== 'lines') continue
      const promising = device.points.filter((index) => {
        const point = site.points[index]
        return point?.source.from === 'field' && point.maxAgeMs !== null
      })
      this.#promising.set(device.index, promising)
    }
  }

  /** Readings of this device have come. */
  heard(device: number, mono: number): DeviceArrival | null {
    if (!this.#promising.has(device)) return null
    return this.#turn(device, 'online', mono)
  }

  /** The device's bridge, or its bus, has said how it is. */
  told(arrival: DeviceArrival): void {
    if (this.#promising.has(arrival.device) || this.#composed.has(arrival.device))
      this.#state.set(arrival.device, arrival.state)
  }

  /** After a stale sweep: who has nothing young left? */
  swept(stale: readonly Sample[], view: View, mono: number): readonly DeviceArrival[] {
    const gone: DeviceArrival[] = []
    for (const device of new Set(stale.map((sample) => this.#deviceOf[sample.point] ?? -1))) {
      const promising = this.#promising.get(device)
      if (promising === undefined || promising.length === 0) continue
      if (promising.some((point) => view.get(point).quality === 'good')) continue
      const turned = this.#turn(device, 'offline', mono)
      if (turned !== null) gone.push(turned)
    }
    return gone
  }

  /** Which composed devices came or went with these samples? Silent while a source was never read: that is no answer yet. */
  composed(samples: readonly Sample[], view: View, mono: number): readonly DeviceArrival[] {
    if (this.#composed.size === 0) return []
    const touched = new Set<number>()
    for (const { point } of samples) {
      const device = this.#deviceOf[point] ?? -1
      if (this.#composed.has(device)) touched.add(device)
    }
    return [...touched].flatMap((device) => {
      const seen = this.#composed.get(device)?.map((point) => view.get(point)) ?? []
      if (seen.some(isAlive)) return this.#turned(device, 'online', mono, null)
      const causes = seen.flatMap((sample) => (sample.quality === 'bad' ? [sample.cause] : []))
      if (seen.length === 0 || causes.some(({ kind }) => kind === 'not_read')) return []
      // That an input was left out explains nothing where another one has failed.
      const cause = causes.find(({ kind }) => kind !== 'not_configured') ?? causes[0] ?? null
      return this.#turned(device, 'offline', mono, cause)
    })
  }

  #turn(device: number, state: DeviceState, mono: number): DeviceArrival | null {
    const [turned] = this.#turned(device, state, mono, state === 'offline' ? { kind: 'timeout' } : null)
    return turned ?? null
  }

  #turned(device: number, state: DeviceState, mono: number, cause: Fault | null): readonly DeviceArrival[] {
    if (this.#state.get(device) === state) return []
    this.#state.set(device, state)
    return [{ kind: 'device', device, mono, state, cause }]
  }
}

function isAlive(sample: Sample): boolean {
  return sample.quality === 'good' || (sample.quality === 'uncertain' && sample.cause !== 'stale')
}
