/**
 * For one message by itself: which device a topic is of, by the form that its makers give topics, and which places in it a driver
 * could name. What it then says is for the codec to tell.
 */
import type { Text } from '../../model/point.ts'
import { both } from '../explained.ts'
import { bare } from '../understand.ts'
import { isObject } from './document.ts'

/** A place as a driver writes it in `at`, and what stands there. */
export type Leaf = { readonly path: string; readonly value: unknown }

export type Ecosystem = {
  /** The device's topic, as a site file would give it; null: no topic of this kind. */
  readonly baseOf: (topic: string, json: unknown) => string | null
  /** The document as the codec's points see it. */
  readonly tree: (topic: string, base: string, json: unknown) => unknown
  /** Topics of this kind. */
  readonly forms: string
}

const whole: Ecosystem['tree'] = (_topic, _base, json) => json

export const ECOSYSTEMS: Readonly<Record<string, Ecosystem>> = {
  zigbee2mqtt: {
    baseOf(topic) {
      const bridge = /^(.+)\/bridge\/state$/.exec(topic)?.[1]
      if (bridge !== undefined) return `${bridge}/device`
      const base = topic.replace(/\/availability$/, '')
      return base.includes('/') ? base : null
    },
    tree: whole,
    forms: 'zigbee2mqtt/NAME, …/availability, zigbee2mqtt/bridge/state',
  },
  tasmota: {
    baseOf(topic) {
      const levels = topic.split('/')
      const at = levels.findIndex((level) => level === 'tele' || level === 'stat')
      if (at < 0 || levels.length < 3) return null
      const stem = levels.slice(0, -1)
      // FullTopic as delivered begins with the prefix; else the link's topic is written with %prefix% in it.
      return at === 0 ? stem.slice(1).join('/') : stem.with(at, '%prefix%').join('/')
    },
    tree: byLast((level) => /^POWER[1-8]?$/.test(level)),
    forms: 'tele/DEVICE/SENSOR, tele/DEVICE/STATE, tele/DEVICE/LWT, stat/DEVICE/RESULT, stat/DEVICE/POWER',
  },
  shelly_gen1: {
    baseOf: (topic) =>
      /^(shellies\/[^/]+)\/./.exec(topic)?.[1] ??
      /^(.+?)\/(?:relay|sensor|input|emeter|online)\b/.exec(topic)?.[1] ??
      null,
    tree: (topic, base, json) => ({ [topic.slice(base.length + 1)]: json }),
    forms: 'shellies/DEVICE/relay/0, shellies/DEVICE/sensor/flood, shellies/DEVICE/online',
  },
  shelly_gen2: {
    baseOf: (topic) => /^(.+)\/(?:events\/rpc|online|status\/[^/]+)$/.exec(topic)?.[1] ?? null,
    tree: (topic, _base, json) => {
      const component = /\/status\/([^/]+)$/.exec(topic)?.[1]
      if (component !== undefined) return { [component]: json }
      return isObject(json) && isObject(json['params']) ? notified(json['params']) : json
    },
    forms: 'DEVICE/events/rpc, DEVICE/status/switch:0, DEVICE/online',
  },
  esphome: {
    baseOf: (topic) => /^(.+)\/(?:status|[^/]+\/[^/]+\/state)$/.exec(topic)?.[1] ?? null,
    tree: (topic, base, json) => ({ [topic.slice(base.length + 1).replace(/\/state$/, '')]: json }),
    forms: 'PREFIX/sensor/NAME/state, PREFIX/status',
  },
  chirpstack_v4: {
    baseOf: (topic) => /^(.+)\/event\/[^/]+$/.exec(topic)?.[1] ?? null,
    tree: (topic, _base, json) => (isObject(json) ? { ...json, event: topic.split('/').at(-1) } : json),
    forms: 'application/APPLICATION/device/DEVEUI/event/up',
  },
  uhppoted: {
    baseOf(topic, json) {
      const prefix = /^(.+)\/events$/.exec(topic)?.[1]
      const board = isObject(json) ? bare(json['device-id']) : null
      return prefix === undefined ? null : `${prefix}/${board === null ? 'device' : String(board)}`
    },
    tree: whole,
    forms: 'uhppoted/gateway/events',
  },
  json: { baseOf: (topic) => topic, tree: whole, forms: 'any' },
}

function byLast(isOne: (level: string) => boolean): Ecosystem['tree'] {
  return (topic, _base, json) => {
    const last = topic.split('/').at(-1) ?? ''
    return isOne(last) ? { [last]: json } : json
  }
}

/** Events by their component, everything else as it stands. */
function notified(params: Readonly<Record<string, unknown>>): unknown {
  const { events } = params
  if (!Array.isArray(events)) return params
  return Object.fromEntries(
    (events as readonly unknown[]).flatMap((event) =>
      isObject(event) && typeof event['component'] === 'string' ? [[event['component'], event]] : [],
    ),
  )
}

/** Fields beyond it are counted only. */
export const LEAVES_MAX = 500

/**
 * Every scalar with its path, in the document's order. A name with a dot or bracket in it cannot be written as a path of a driver,
 * and is left out; but the whole name of a word's topic (`relay/0`) is one step.
 */
export function leavesOf(tree: unknown): { readonly leaves: readonly Leaf[]; readonly beyond: number } {
  const leaves: Leaf[] = []
  let beyond = 0
  const walk = (here: unknown, path: string): void => {
    const inner = Array.isArray(here)
      ? (here as readonly unknown[]).map((value, at) => [String(at), value] as const)
      : isObject(here)
        ? Object.entries(here)
        : null
    if (inner === null) {
      if (leaves.length < LEAVES_MAX) leaves.push({ path: path === '' ? '$' : path, value: here })
      else beyond += 1
      return
    }
    for (const [name, value] of inner) {
      if (name === '' || /[.[\]]/.test(name)) beyond += 1
      else walk(value, path === '' ? name : `${path}.${name}`)
    }
  }
  walk(tree, '')
  return { leaves, beyond }
}

export function noTopic(name: string, topic: string): Text {
  const forms = ECOSYSTEMS[name]?.forms ?? ''
  return both(`${topic} is no topic of ${name}: they are ${forms}`, `${topic} 不是 ${name} 的主题，主题形如 ${forms}`)
}
