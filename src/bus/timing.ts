/** How long bytes take and how long a line must be silent. Pure. */
import type { Bus, DeviceLink, Line } from '../model/site.ts'
import type { Framing, Question } from '../protocols/protocol.ts'

/** Link of a device that sits on a bus. */
export type BusLink = Extract<DeviceLink, { kind: 'bus' }>

/** Start, eight data bits, parity or a second stop, stop: what Modbus counts for a character, whatever the setting. */
const BITS_PER_CHARACTER = 11

/** A serial wire whose setting nobody wrote. */
export const LINE_DEFAULT: Line = { baud: 9600, dataBits: 8, parity: 'N', stopBits: 1 }

export function characterMs(line: Line | null): number {
  return line === null ? 0 : (BITS_PER_CHARACTER * 1000) / line.baud
}

/** Bytes of the frame that answers a question which took `sentBytes`. */
export function answerLength(framing: Framing, question: Question, sentBytes: number): number {
  // What is around a question is around its answer too, unless the framing says otherwise.
  return framing.answerLength?.(question) ?? sentBytes - question.body.length + question.answerBytes
}

/** Silence before a request: what its protocol wants, and never less than the device's guard. */
export function quietMs(framing: Pick<Framing, 'quietMs'>, line: Line | null, guardMs: number): number {
  return Math.max(framing.quietMs(line), guardMs)
}

/** The setting that bytes to this device travel with. Modbus TCP has none; a serial server has a fixed one of its own. */
export function lineOf(bus: Bus, link: BusLink, usual: Line | null): Line | null {
  switch (bus.wire.kind) {
    case 'modbus-tcp':
      return null
    case 'tcp':
      return bus.line ?? link.line
    case 'serial':
      return link.line ?? bus.line ?? usual ?? LINE_DEFAULT
  }
}

export function sameLine(a: Line | null, b: Line | null): boolean {
  if (a === null || b === null) return a === b
  return a.baud === b.baud && sameForm(a, b)
}

/** Only the speed differs: a serial port changes that in place. */
export function sameForm(a: Line, b: Line): boolean {
  return a.dataBits === b.dataBits && a.parity === b.parity && a.stopBits === b.stopBits
}
