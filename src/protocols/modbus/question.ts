/** Requests as questions to a device: how long the answer will be, what must follow. */
import type { Address, Question } from '../protocol.ts'
import { identifyFrom } from './identity.ts'
import { buildRequest, type Request } from './pdu.ts'

/** Function code and byte count stand before bits and registers. */
const HEAD = 2
const CONFIRMATION = 5

export function questionOf(request: Request, address: Address): Question {
  if (request.fc === 43) return identifyFrom(request, address)
  const writes = request.fc > 4
  return { address, body: buildRequest(request), writes, answerBytes: answerBytesOf(request) }
}

function answerBytesOf(request: Exclude<Request, { fc: 43 }>): number {
  switch (request.fc) {
    case 1:
    case 2:
      return HEAD + Math.ceil(request.count / 8)
    case 3:
    case 4:
    case 23:
      return HEAD + 2 * request.count
    case 22:
      return CONFIRMATION + 2
    default:
      return CONFIRMATION
  }
}

/**
 * Changes some bits of a holding register and leaves the others alone. Function 22 lets the device do it; one that does not know
 * it is asked for the register and gets it back changed, within the same turn of the wire.
 * `multiple`: written back with function 16, for devices that know no other.
 */
export function changeBits(
  { start, mask, bits, multiple = false }: { start: number; mask: number; bits: number; multiple?: boolean },
  address: Address,
): Question {
  const and = ~mask & 0xffff
  const or = bits & mask
  const written = (register: number): Request =>
    multiple ? { fc: 16, start, registers: Uint8Array.of(register >> 8, register & 0xff) } : { fc: 6, start, register }
  const read: Question = {
    ...questionOf({ fc: 3, start, count: 1 }, address),
    more: (body) => questionOf(written((wordAt(body) & and) | or), address),
  }
  return { ...questionOf({ fc: 22, start, and, or }, address), otherwise: read }
}

function wordAt(body: Uint8Array): number {
  return ((body[HEAD] ?? 0) << 8) | (body[HEAD + 1] ?? 0)
}

/** Functions that say nothing in return but that they were done. */
const BROADCAST = new Set([5, 6, 15, 16, 22])

/**
 * The same write to every device of the line at once (unit 0): nobody answers, so nobody knows who took it. Never made of a
 * device's own write by itself; a sentence where it cannot be.
 */
export function broadcast({ body }: Pick<Question, 'body'>): Question | string {
  const [code = 0] = body
  if (!BROADCAST.has(code)) return `function ${code} wants an answer: it cannot be said to all at once`
  return { address: 0, body, writes: true, answerBytes: 0, unanswered: true }
}
