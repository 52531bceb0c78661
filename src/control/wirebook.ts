/** What may be said on one bus, as its site file and drivers have it: framings, the questions that are asked, and which are personal. */
import { printHex } from '../bytes/hex.ts'
import type { Point } from '../model/point.ts'
import type { Bus, Device, Site } from '../model/site.ts'
import { protocolOf } from '../protocols/all.ts'
import type { Block, Framing } from '../protocols/protocol.ts'

export type BusDevice = Device & { readonly link: Extract<Device['link'], { kind: 'bus' }> }

/** One question that the gateway asks. */
export type Entry = {
  readonly device: BusDevice
  readonly block: Block
  readonly framing: Framing
  /** A value in its answer is personal: its bytes are shown to nobody. */
  readonly personal: boolean
}

export type WireBook = {
  readonly points: readonly Point[]
  readonly framings: readonly Framing[]
  /** By the frame that was sent; null: none of ours, or a block that came apart. */
  readonly find: (sent: Uint8Array) => Entry | null
  /** Some device on this wire says personal things: what cannot be told apart is masked. */
  readonly personal: boolean
}

export function isOnBus(device: Device): device is BusDevice {
  return device.link.kind === 'bus'
}

export function framingFor(bus: Bus, { link }: BusDevice): Framing {
  const framing = protocolOf(link.protocol).framing(bus.wire.kind, { ascii: link.ascii ?? false })
  if (framing === null) throw new RangeError(`${link.protocol} does not run on ${bus.wireText}`)
  return framing
}

export function wireBook(site: Pick<Site, 'points' | 'devices'>, bus: Bus): WireBook {
  const devices = site.devices.filter(isOnBus).filter(({ link }) => link.bus === bus.index)
  const entries = new Map<string, Entry>()
  const framings = new Set<Framing>()
  for (const device of devices) {
    const framing = framingFor(bus, device)
    framings.add(framing)
    for (const block of blocksOf(site.points, device)) {
      const personal = block.points.some((index) => site.points[index]?.personal === true)
      const frame = framing.frame(block.ask(device.link.address), 0)
      entries.set(keyOf(frame, framing), { device, block, framing, personal })
    }
  }
  const others = site.devices.filter(({ link }) => link.kind === 'lines' && link.bus === bus.index)
  const personal = [...devices, ...others].some(({ points }) =>
    points.some((index) => site.points[index]?.personal === true),
  )
  return {
    points: site.points,
    framings: [...framings],
    find(sent) {
      for (const framing of framings) {
        const entry = entries.get(keyOf(sent, framing))
        if (entry !== undefined) return entry
      }
      return null
    },
    personal,
  }
}

/** Whole blocks, and each point by itself: reads that came apart are mostly down to that. */
function blocksOf(points: readonly Point[], { link, points: own }: BusDevice): readonly Block[] {
  const protocol = protocolOf(link.protocol)
  const field = own.flatMap((index) => points[index] ?? []).filter(({ source }) => source.from === 'field')
  const single = field.flatMap((point) =>
    point.source.from === 'field'
      ? protocol.plan([{ ...point, source: { ...point.source, everyMs: 1000 } }], link.limits, new Set())
      : [],
  )
  // A block of the plan is the better answer where both ask alike.
  return [...single, ...protocol.plan(field, link.limits, new Set())]
}

/** Apart from the transaction id, which is another each time. */
function keyOf(frame: Uint8Array, { name, correlates }: Framing): string {
  return `${name} ${printHex(correlates ? frame.subarray(2) : frame)}`
}
