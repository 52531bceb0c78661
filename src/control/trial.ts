/**
 * One question to the field with an ear on the wire: what was sent to this device, and every byte that came before the next question
 * to anybody. Ahead of the polls, as `read`; nothing is asked that is not asked anyway.
 */
import type { Device, Site } from '../model/site.ts'
import { protocolOf } from '../protocols/all.ts'
import type { Block, Framing } from '../protocols/protocol.ts'
import type { GatewayView } from './context.ts'
import type { Asked } from './explain-evidence.ts'

export type Overheard = Asked & {
  /** The block that this was the question of; null: it came apart since, or is none of the plan. */
  readonly block: Block | null
  /** Addresses of whole frames that came and were not the device's. */
  readonly strangers: readonly string[]
}

type BusLink = Extract<Device['link'], { kind: 'bus' }>

/** Kept of one trial: retries of one block, and the parts of one answer. */
const ASKED_MAX = 8
const BYTES_MAX = 1024

export async function tryPoint(
  view: GatewayView,
  point: number,
  device: Device & { readonly link: BusLink },
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

function createEar(site: Site, device: Device & { readonly link: BusLink }) {
  const { link } = device
  const bus = site.buses[link.bus]
  if (bus === undefined) throw new RangeError(`there is no bus ${link.bus}`)
  const framing = framingFor(site, device)
  const questions = questionsOf(site, device, framing)
  const found: Open[] = []
  let open: Open | null = null

  return {
    hear: (mono: () => number) => (direction: 'in' | 'out', bytes: Uint8Array) => {
      if (direction === 'out') {
        open = null
        const block = questions.find(({ frame }) => sameFrame(frame, bytes, framing))?.block ?? null
        const said = framing.describe?.(bytes)
        if (block === null && said?.address !== String(link.address)) return
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
          expectedBytes: question === null ? null : sent.length - question.body.length + question.answerBytes,
          block,
          strangers: strangersIn(bytes, framing, String(link.address)),
        }
      }),
  }
}

export function framingFor(site: Site, device: Device & { readonly link: BusLink }): Framing {
  const { link } = device
  const wire = site.buses[link.bus]?.wire.kind ?? 'tcp'
  const framing = protocolOf(link.protocol).framing(wire, { ascii: link.ascii ?? false })
  if (framing === null) throw new RangeError(`${link.protocol} does not run on a ${wire} wire`)
  return framing
}

/** What the device is asked for, as planned: whole blocks, and each point by itself. */
function questionsOf(
  site: Site,
  { link, points }: Device & { readonly link: BusLink },
  framing: Framing,
): readonly { readonly block: Block; readonly frame: Uint8Array }[] {
  const protocol = protocolOf(link.protocol)
  const own = points.flatMap((index) => site.points[index] ?? []).filter(({ source }) => source.from === 'field')
  const blocks = [
    ...protocol.plan(own, link.limits, new Set()),
    ...own.flatMap((point) =>
      point.source.from === 'field'
        ? protocol.plan([{ ...point, source: { ...point.source, everyMs: 1000 } }], link.limits, new Set())
        : [],
    ),
  ]
  return blocks.map((block) => ({ block, frame: framing.frame(block.ask(link.address), 0) }))
}

/** Apart from the transaction id, which is another each time. */
function sameFrame(a: Uint8Array, b: Uint8Array, { correlates }: Framing): boolean {
  const from = correlates ? 2 : 0
  if (a.length !== b.length) return false
  for (let at = from; at < a.length; at++) if (a[at] !== b[at]) return false
  return true
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
