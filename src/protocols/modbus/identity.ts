/**
 * What a device says it is (Modbus Application Protocol V1.1b3, 6.21: function 43, MEI type 14): texts by number, in as many
 * replies as it takes. Devices that do not know the question refuse it with exception 1, which harms nobody.
 */
import type { Address, Question } from '../protocol.ts'
import { readText } from './encoding.ts'

export const MEI = 14
/** Function, MEI type, category, conformity, more, next object, count. */
const HEAD = 7
const MORE = 0xff
const PDU_MAX = 253

/** 1 basic, 2 regular, 3 extended, 4 one object. */
export type IdentityRequest = { readonly fc: 43; readonly category: number; readonly object: number }
export type IdentityReply = {
  readonly fc: 43
  readonly category: number
  readonly conformity: number
  readonly more: boolean
  /** To be asked for next, where there is more. */
  readonly next: number
  readonly objects: readonly { readonly id: number; readonly content: Uint8Array }[]
}

const OBJECT_NAMES: readonly string[] = [
  'vendor name',
  'product code',
  'revision',
  'vendor url',
  'product name',
  'model name',
  'application name',
]

/** `vendor name`, or `object 128` where the maker chose what it means. */
export function objectName(id: number): string {
  return OBJECT_NAMES[id] ?? `object ${id}`
}

export function buildIdentityRequest({ category, object }: IdentityRequest): Uint8Array {
  return Uint8Array.of(43, MEI, category, object)
}

export function parseIdentityRequest(pdu: Uint8Array): IdentityRequest | string {
  const [, mei, category = 0, object = 0] = pdu
  if (pdu.length !== 4) return `a request of function 43 has 4 bytes, these are ${pdu.length}`
  if (mei !== MEI) return `function 43 with MEI type ${mei} is not device identification (14)`
  if (category < 1 || category > 4) return `category ${category} is not within 1..4`
  return { fc: 43, category, object }
}

export function buildIdentityReply(reply: IdentityReply): Uint8Array {
  const { category, conformity, more, next, objects } = reply
  const texts = objects.flatMap(({ id, content }) => [id, content.length, ...content])
  return Uint8Array.of(43, MEI, category, conformity, more ? MORE : 0, next, objects.length, ...texts)
}

export function parseIdentityReply(pdu: Uint8Array): IdentityReply | string {
  const length = identityLength(pdu, 0)
  if (length === null) return 'these bytes begin no device identification'
  if (pdu.length !== length) return `the objects take ${length} bytes or more, these are ${pdu.length}`
  const [, , category = 0, conformity = 0, more = 0, next = 0, count = 0] = pdu
  const objects = []
  for (let k = 0, at = HEAD; k < count; k++) {
    const end = at + 2 + (pdu[at + 1] ?? 0)
    objects.push({ id: pdu[at] ?? 0, content: pdu.subarray(at + 2, end) })
    at = end
  }
  return { fc: 43, category, conformity, more: more === MORE, next, objects }
}

/** Length of the reply that begins at `from`; of one that is not all there: at least so long. null: these bytes begin none. */
export function identityLength(bytes: Uint8Array, from: number): number | null {
  const [mei, category, more] = [bytes[from + 1], bytes[from + 2], bytes[from + 4]]
  if (mei !== undefined && mei !== MEI) return null
  if (category !== undefined && (category < 1 || category > 4)) return null
  if (more !== undefined && more !== 0 && more !== MORE) return null
  let length = HEAD
  const count = bytes[from + HEAD - 1] ?? 0
  for (let k = 0; k < count && length <= PDU_MAX; k++) {
    const content = bytes[from + length + 1]
    length += 2 + (content ?? 0)
    // What is not there yet takes two bytes for each object, at least.
    if (content === undefined) return atMost(length + 2 * (count - k - 1))
  }
  return atMost(length)
}

function atMost(length: number): number | null {
  return length <= PDU_MAX ? length : null
}

/** Asks for all objects of a category, however many replies they take. */
export function identify(address: Address, category: 1 | 2 | 3 = 1): Question {
  return identifyFrom({ fc: 43, category, object: 0 }, address)
}

export function identifyFrom(request: IdentityRequest, address: Address): Question {
  return {
    address,
    body: buildIdentityRequest(request),
    writes: false,
    // Nobody knows before: as long as it may be.
    answerBytes: PDU_MAX,
    more(body) {
      const reply = parseIdentityReply(body)
      // Numbers must rise, or a device could keep us asking for ever.
      if (typeof reply === 'string' || !reply.more || reply.next <= request.object) return null
      return identifyFrom({ ...request, object: reply.next }, address)
    },
  }
}

export type Identity = {
  readonly conformity: number
  /** By object number: 0 vendor, 1 product, 2 revision; see `objectName`. */
  readonly texts: ReadonlyMap<number, string>
}

/** `bodies`: of the answer and of its follow-ons. null: the first is no device identification. */
export function readIdentity(bodies: readonly Uint8Array[]): Identity | null {
  const texts = new Map<number, string>()
  let conformity: number | null = null
  for (const body of bodies) {
    const reply = parseIdentityReply(body)
    if (typeof reply === 'string') break
    conformity ??= reply.conformity
    for (const { id, content } of reply.objects) texts.set(id, objectText(content))
  }
  return conformity === null ? null : { conformity, texts }
}

/** Bytes that are no text are shown as they are. */
export function objectText(content: Uint8Array): string {
  return readText(content, 0, content.length, 'ABCD') ?? Array.from(content, (byte) => byte.toString(16)).join(' ')
}
