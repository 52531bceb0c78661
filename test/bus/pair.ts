/**
 * One RS-485 pair in memory, with time on it: bytes take as long as the line setting says, devices think, and hear only what is sent
 * with their own setting. A port changes its speed in place and everything else by being opened anew, as real ones do.
 */
import { writePairs } from '../../src/bytes/bcd.ts'
import type { Line } from '../../src/model/site.ts'
import { buildFrame as cjtFrame, parseFrame as parseCjt } from '../../src/protocols/cjt188/frame.ts'
import { buildFrame as dltFrame, parseFrame as parseDlt } from '../../src/protocols/dlt645/frame.ts'
import type { OpenPipe } from '../../src/transport/open.ts'
import { type Ending, ending, type Pipe } from '../../src/transport/transport.ts'
import { type Asked, type Device16, parse, rtuFrame } from './rig.ts'

export const FAST: Line = { baud: 9600, dataBits: 8, parity: 'N', stopBits: 1 }
export const METERS: Line = { baud: 2400, dataBits: 8, parity: 'E', stopBits: 1 }

/** What a station on the pair says to what it hears; null: nothing. It hears everything that is sent with its line setting. */
export type Station = {
  readonly line: Line
  readonly hear: (sent: Uint8Array) => Uint8Array | null
  /** From the request's last byte to the reply's first. */
  readonly thinkMs?: (sent: Uint8Array) => number
}

export type Pair = {
  readonly openPipe: OpenPipe
  /** Everything that the gateway sent. */
  readonly sent: { readonly at: number; readonly endAt: number; readonly bytes: Uint8Array; readonly line: Line }[]
  readonly replies: { readonly at: number; readonly endAt: number }[]
  /** Every change of the line setting, and how it was done. */
  readonly retunes: { readonly at: number; readonly line: Line; readonly how: 'in place' | 'opened' }[]
  /** Somebody else speaks, now; `line` is his setting. */
  readonly speak: (bytes: Uint8Array, line: Line) => void
  /** Takes the adapter out; while `refusing` it does not come back. */
  readonly pull: () => void
  refusing: boolean
}

export function characterMs({ baud, dataBits, parity, stopBits }: Line): number {
  return ((1 + dataBits + (parity === 'N' ? 0 : 1) + stopBits) * 1000) / baud
}

const RETUNE_MS = 3
const REOPEN_MS = 15

export function fakePair(stations: readonly Station[], { echoes = false } = {}): Pair {
  let current: { line: Line; listener: (bytes: Uint8Array) => void; finish: (end: Ending) => void } | null = null
  const now = (): number => performance.now()
  const same = (a: Line, b: Line): boolean => a.baud === b.baud && a.parity === b.parity && a.stopBits === b.stopBits

  function deliver(bytes: Uint8Array, line: Line, from: typeof current): void {
    if (current === null || current !== from) return
    // What is sent with another setting arrives as noise of about the same length.
    const seen = same(current.line, line) ? bytes : bytes.map((byte) => (byte * 37 + 11) & 0xff)
    const cut = Math.ceil(seen.length / 2)
    current.listener(seen.subarray(0, cut))
    current?.listener(seen.subarray(cut))
  }

  const pair: Pair = {
    sent: [],
    replies: [],
    retunes: [],
    refusing: false,
    pull: () => current?.finish(ending('closed', 'pulled out')),
    speak: (bytes, line) => deliver(bytes, line, current),
    openPipe: async (_wire, line) => {
      await new Promise((resolve) => {
        setTimeout(resolve, REOPEN_MS)
      })
      if (pair.refusing) return ending('refused', 'no such device')
      pair.retunes.push({ at: now(), line, how: 'opened' })
      let finish: (end: Ending) => void = () => {}
      const closed = new Promise<Ending>((resolve) => {
        finish = resolve
      })
      const own = { line, listener: (_bytes: Uint8Array) => {}, finish }
      current = own
      const pipe: Pipe = {
        kind: 'pipe',
        closed,
        onData(listener) {
          own.listener = listener
        },
        write(lent) {
          const bytes = lent.slice()
          const spoken = own.line
          const sendingMs = bytes.length * characterMs(spoken)
          pair.sent.push({ at: now(), endAt: now() + sendingMs, bytes, line: spoken })
          if (echoes) setTimeout(() => deliver(bytes, spoken, own), sendingMs)
          for (const station of stations) {
            const reply = same(station.line, spoken) ? station.hear(bytes) : null
            if (reply === null) continue
            const at = now() + sendingMs + (station.thinkMs?.(bytes) ?? 20)
            const endAt = at + reply.length * characterMs(spoken)
            pair.replies.push({ at, endAt })
            setTimeout(() => deliver(reply, spoken, own), endAt - now())
          }
        },
        close: async () => {
          if (current === own) current = null
          finish(ending('closed', 'closed by the gateway'))
          await closed
        },
        retune: async (wanted) => {
          if (wanted.parity !== own.line.parity || wanted.stopBits !== own.line.stopBits) return false
          await new Promise((resolve) => {
            setTimeout(resolve, RETUNE_MS)
          })
          own.line = wanted
          pair.retunes.push({ at: now(), line: wanted, how: 'in place' })
          return true
        },
      }
      return pipe
    },
  }
  return pair
}

/** A Modbus unit. */
export function unit(address: number, line: Line, device: Device16, thinkMs?: (asked: Asked) => number): Station {
  const station: Station = {
    line,
    hear(sent) {
      if (sent[0] !== address || sent.length < 8) return null
      const pdu = device(parse('rtu', sent))
      return pdu === null ? null : rtuFrame(address, pdu)
    },
  }
  return thinkMs === undefined ? station : { ...station, thinkMs: (sent) => thinkMs(parse('rtu', sent)) }
}

/** What a meter says for a data item: least significant byte first, 33H not added. */
export type Items = (item: string) => Uint8Array | null

/** A DL/T 645-2007 meter. `as`: it answers in this name. `parts`: answers in so many frames. */
export function dltMeter(address: string, line: Line, items: Items, { as = () => address, parts = 1 } = {}): Station {
  return {
    line,
    hear(sent) {
      const asked = parseDlt(sent)
      if (asked === null || asked.address !== address) return null
      const identifier = asked.data.subarray(0, 4)
      const item = [...identifier]
        .reverse()
        .map((byte) => byte.toString(16).padStart(2, '0'))
        .join('')
        .toUpperCase()
      const value = items(item)
      const reply = (control: number, data: Uint8Array): Uint8Array =>
        dltFrame({ wakeUp: 4, address: as(), control, data })
      if (value === null) return reply(0xd1, Uint8Array.of(2))
      const share = Math.ceil(value.length / parts)
      const part = asked.control === 0x12 ? (asked.data[4] ?? 0) : 0
      const content = value.subarray(part * share, (part + 1) * share)
      const more = (part + 1) * share < value.length ? 0x20 : 0
      const tail = part === 0 ? [] : [part]
      return reply(0x80 | asked.control | more, Uint8Array.of(...identifier, ...content, ...tail))
    },
  }
}

/** A CJ/T 188 water meter of type 10H; `litres` is its present total. */
export function cjtMeter(address: string, line: Line, litres: number): Station {
  return {
    line,
    thinkMs: () => 80,
    hear(sent) {
      const asked = parseCjt(sent)
      if (asked === null || asked.address !== address || asked.control !== 1) return null
      const total = [...writePairs(String(Math.round(litres / 10)).padStart(8, '0')), 0x2c]
      const data = Uint8Array.of(...asked.data.subarray(0, 3), ...total, ...total, 0, 0, 0, 1, 1, 0x26, 0x20, 0, 0)
      return cjtFrame({ wakeUp: 3, type: 0x10, address, control: 0x81, data })
    },
  }
}

/** A number as packed digits, least significant pair first. */
export function packed(number: number, bytes: number): Uint8Array {
  return writePairs(String(number).padStart(2 * bytes, '0'))
}
