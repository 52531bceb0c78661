/** Every family that publishes, by the name that drivers give its codec. */
import type { Place, Value } from '../../model/point.ts'
import { rounded } from '../spoken.ts'
import { chirpstack } from './chirpstack.ts'
import type { Firmware } from './firmware.ts'
import { json, zigbee2mqtt } from './json.ts'
import { shellyGen1, shellyGen2 } from './shelly.ts'
import { tasmota } from './tasmota.ts'
import { esphome, uhppoted } from './words.ts'

const FIRMWARES: Readonly<Record<string, Firmware>> = {
  zigbee2mqtt,
  tasmota,
  shelly_gen1: shellyGen1,
  shelly_gen2: shellyGen2,
  esphome,
  chirpstack_v4: chirpstack,
  uhppoted,
  json,
}

/** A codec without a firmware of its own would be a family that nobody told us how to play. */
export function firmwareOf(codec: string): Firmware {
  const firmware = Object.hasOwn(FIRMWARES, codec) ? FIRMWARES[codec] : undefined
  if (firmware === undefined) throw new RangeError(`no firmware that publishes ${codec} is simulated`)
  return firmware
}

/** What such a device holds of a raw value. */
export function heldBy(codec: string, place: Place): (raw: Value) => Value {
  const { held } = firmwareOf(codec)
  return (raw) => (place.protocol === 'payload' ? held?.(place.path, raw) : null) ?? rounded(raw)
}
