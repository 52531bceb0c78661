/**
 * Is a device there that publishes, or prints lines? It is once a message of it was understood, and gone when its bridge says so or when all values
 * that promise to be renewed have grown old. A device that promises nothing is never missed.
 */
import type { Arrival, DeviceState, Sample } from '../model/sample.ts'
import type { Site } from '../model/site.ts'
import type { View } from './image.ts'

type DeviceArrival = Extract<Arrival, { kind: 'device' }>

export class Presence {
  readonly #promising = new Map<number, readonly number[]>()
  readonly #state = new Map<number, DeviceState>()
  readonly #deviceOf: readonly number[]

  constructor(site: Pick<Site, 'devices' | 'points'>) {
    this.#deviceOf = site.points.map((point) => point.device)
    for (const device of site.devices) {
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
    if (this.#promising.has(arrival.device)) this.#state.set(arrival.device, arrival.state)
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

  #turn(device: number, state: DeviceState, mono: number): DeviceArrival | null {
    if (this.#state.get(device) === state) return null
    this.#state.set(device, state)
    return { kind: 'device', device, mono, state, cause: state === 'offline' ? { kind: 'timeout' } : null }
  }
}
