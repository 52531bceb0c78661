/**
 * One question to the field with an ear on the wire: what was sent to this device, and every byte that came before the next question
 * to anybody. Ahead of the polls, as `read`; nothing is asked that is not asked anyway.
 */
import { answerLength } from '../bus/timing.ts'
import type { Site } from '../model/site.ts'
import type { Block, Framing } from '../protocols/protocol.ts'
import type { GatewayView } from './context.ts'
import type { Asked } from './explain-evidence.ts'
import { type BusDevice, framingFor, wireBook } from './wirebook.ts'

export type Overheard = Asked & {
  /** The block that this was the question of; null: it came apart since, or is none of the plan. */
  readonly block: Block | null
  /** Addresses of whole frames that came and were not the device's. */
  readonly strangers: readonly string[]
}

/** Kept of one trial: retries of one block, and the parts of one answer. */
const ASKED_MAX = 8
const BYTES_MAX = 1024

export async function tryPoint(
  view: GatewayView,
  point: number,
  device: BusDevice,
  signal: AbortSignal,
): Promise<readonly Overheard[]> {
  const site = view.site()
  const ear = createEar(site, device)
  const stop = view.wire(device.link.bus).listen(ear.hear(view.clock.mono))
  try {
    await view.refresh([point], signal)
  } finally {
    stop()
  }
  return ear.heard()
}

type Open = { sent: Uint8Array; at: number; received: number[]; lastAt: number | null; block: Block | null }

function createEar(site: Site, device: BusDevice) {
  const { link } = device
  const bus = site.buses[link.bus]
  if (bus === undefined) throw new RangeError(`there is no bus ${link.bus}`)
  const framing = framingFor(bus, device)
  const book = wireBook(site, bus)
  const found: Open[] = []
  let open: Open | null = null

  return {
    hear: (mono: () => number) => (direction: 'in' | 'out', bytes: Uint8Array) => {
      if (direction === 'out') {
        open = null
        const entry = book.find(bytes)
        if (entry !== null && entry.device.index !== device.index) return
        if (entry === null && framing.describe?.(bytes)?.address !== String(link.address)) return
        const block = entry?.block ?? null
        open = { sent: bytes, at: mono(), received: [], lastAt: null, block }
        found.push(open)
        if (found.length > ASKED_MAX) found.shift()
      } else if (open !== null && open.received.length < BYTES_MAX) {
        open.received.push(...bytes)
        open.lastAt = mono()
      }
    },
    heard: (): readonly Overheard[] =>
      found.map(({ sent, at, received, lastAt, block }) => {
        const bytes = Uint8Array.from(received.slice(0, BYTES_MAX))
        const question = block?.ask(link.address) ?? null
        return {
          sent,
          received: bytes,
          ms: lastAt === null ? null : lastAt - at,
          expectedBytes: question === null ? null : answerLength(framing, question, sent.length),
          block,
          strangers: strangersIn(bytes, framing, String(link.address)),
        }
      }),
  }
}

/** Whole frames from another address: somebody else answered our question. */
function strangersIn(bytes: Uint8Array, framing: Framing, own: string): readonly string[] {
  const found = new Set<string>()
  let rest = bytes
  while (rest.length > 0) {
    const split = framing.split(rest)
    if (split.kind === 'more') break
    if (split.kind === 'frame') {
      const said = framing.describe?.(split.frame) ?? null
      if (said !== null && said.direction === 'reply' && said.address !== own) found.add(said.address)
    }
    rest = rest.subarray(split.used)
  }
  return [...found]
}
