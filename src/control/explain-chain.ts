/** The way of a value from the port to the rules, link by link: how far it came, and where it stopped. */
import { printHex } from '../bytes/hex.ts'
import type { Text } from '../model/point.ts'
import { secretsIn } from '../protocols/dlt645/index.ts'
import { type Evidence, isUp } from './explain-evidence.ts'
import type { Cause } from './explain-judge.ts'
import { spanText, valueText } from './explain-text.ts'
import { CHAIN, type ChainKey, fill, type Link, LINKS, type Values } from './explain-words.ts'

export type ChainLink = {
  readonly link: Link
  /** `unreached`: what is before it does not work. `none`: such a value has no such link. */
  readonly state: 'ok' | 'doubtful' | 'bad' | 'unreached' | 'none'
  readonly text: Text
}

/** Bytes of a frame that are shown; the rest is in `trace`. */
const HEX_MAX = 24

const STATES: Readonly<Record<string, Text>> = {
  online: { en: 'online', zh: '在线' },
  degraded: { en: 'not steady', zh: '不稳定' },
  offline: { en: 'offline', zh: '离线' },
  maintenance: { en: 'maintenance', zh: '检修' },
}

/** `masked`: no bytes are shown, a personal value is among them. */
export function chainOf(
  evidence: Evidence,
  causes: readonly Cause[],
  more: { readonly rules: readonly string[]; readonly masked: boolean },
): readonly ChainLink[] {
  const [first] = causes
  const stop = first === undefined || first.key === 'fine' ? LINKS.length : LINKS.indexOf(first.link)
  const isDoubt = evidence.sample.quality === 'uncertain' || first?.key === 'fine'
  return LINKS.map((link, at): ChainLink => {
    const words = wordsOf(link, evidence, more)
    if (words === null) return { link, state: 'none', text: say('portNone') }
    if (at < stop) return { link, state: 'ok', text: words }
    if (at === stop) return { link, state: isDoubt ? 'doubtful' : 'bad', text: words }
    if (link === 'rule') return { link, state: 'unreached', text: words }
    return { link, state: isDoubt ? 'doubtful' : 'unreached', text: isDoubt ? words : say('unreached') }
  })
}

function say(key: ChainKey, values: Values = {}): Text {
  return fill(CHAIN[key], values)
}

function wordsOf(
  link: Link,
  evidence: Evidence,
  { rules, masked }: { readonly rules: readonly string[]; readonly masked: boolean },
): Text | null {
  const { bus, device, topic, point, sample, neighbours, trial } = evidence
  switch (link) {
    case 'port':
      if (bus !== null) return say(isUp(bus) ? 'portOpen' : 'portShut', { wire: bus.wireText })
      return topic === null ? null : say('broker', { n: topic.clients })
    case 'bus': {
      if (bus === null) return null
      const all = [device?.state ?? 'offline', ...neighbours.map(({ state }) => state)]
      const answering = all.filter((state) => state === 'online' || state === 'degraded').length
      return say('busWell', { n: answering, total: all.length, bus: bus.id })
    }
    case 'device': {
      if (topic !== null) {
        const heard = topic.heard ? { en: 'has spoken', zh: '有消息' } : { en: 'never spoke', zh: '从未有消息' }
        return say('topic', { topic: topic.topic, state: heard })
      }
      if (device === null) return point.from === 'none' ? say('unconnected') : null
      const values = { device: device.id, address: device.address, state: STATES[device.state] ?? device.state }
      return device.answers > 0
        ? say('deviceTook', { ...values, ms: spanText(device.averageMs) })
        : say('device', values)
    }
    case 'frame': {
      if (point.place === null) return null
      const last = masked ? undefined : trial?.asked.at(-1)
      // Another master may have spoken in between, and given a meter its password.
      if (last === undefined || secretsIn(last.received).length > 0) return say('frame', { place: point.place })
      const sent = hexOf(last.sent)
      return last.received.length === 0
        ? say('frameNone', { place: point.place, sent })
        : say('frameBytes', { place: point.place, sent, received: hexOf(last.received) })
    }
    case 'decode':
      return sample.value === null ? say('decodeNone') : say('decode', { value: valueText(sample.value, point.unit) })
    case 'rule':
      return rules.length === 0 ? say('rulesNone') : say('rules', { rules: rules.join(', ') })
  }
}

function hexOf(bytes: Uint8Array): string {
  const shown = printHex(bytes.subarray(0, HEX_MAX), ' ')
  return bytes.length > HEX_MAX ? `${shown} …` : shown
}
