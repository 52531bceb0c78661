/**
 * Which devices can be reached: what a bus that goes down or comes back says of each of its devices, so that who follows `device`
 * events is told what the screens say. No alarm comes of it: the bus has one for all. Each state is said once.
 */
import type { Arrival, DeviceState } from '../model/sample.ts'
import type { Site } from '../model/site.ts'

type BusArrival = Extract<Arrival, { kind: 'bus' }>
type DeviceArrival = Extract<Arrival, { kind: 'device' }>

export class Reach {
  readonly #busOf = new Map<number, number>()
  readonly #down = new Set<number>()
  /** What was last said of the device itself. */
  readonly #own = new Map<number, DeviceState>()
  /** What was last told to the outside. */
  readonly #told = new Map<number, DeviceState>()

  constructor(site: Pick<Site, 'devices'>) {
    for (const { index, link } of site.devices)
      if (link.kind === 'bus' || link.kind === 'lines') this.#busOf.set(index, link.bus)
  }

  /** Is it news? */
  device({ device, state }: Pick<DeviceArrival, 'device' | 'state'>): boolean {
    this.#own.set(device, state)
    if (this.#down.has(this.#busOf.get(device) ?? -1) && state !== 'offline') return false
    const isNews = state !== 'offline' || this.#told.get(device) !== 'offline'
    this.#told.set(device, state)
    return isNews
  }

  /** Whether each device answers on a wire that is back is not known yet: until then it is as it was before. */
  bus({ bus, mono, state, cause }: BusArrival): readonly DeviceArrival[] {
    if (state === 'offline') this.#down.add(bus)
    else this.#down.delete(bus)
    const turned: DeviceArrival[] = []
    for (const [device, of] of this.#busOf) {
      if (of !== bus) continue
      const now = state === 'offline' ? 'offline' : this.#own.get(device)
      if (now === undefined || (this.#told.get(device) === 'offline') === (now === 'offline')) continue
      this.#told.set(device, now)
      turned.push({ kind: 'device', device, mono, state: now, cause })
    }
    return turned
  }
}
