/**
 * ChirpStack v4: a sensor joins, then each uplink has its frame counter, its own number, and the decoded object. Which bytes the object
 * came from is the sensor maker's own affair, so `data` is left out.
 */
import { seedOf } from '../random.ts'
import { type Field, type Firmware, type Moment, nobody, said, type Said, spoken } from './firmware.ts'
import { treeOf } from './tree.ts'

/** An uplink's, not a status event's. */
const OF_STATUS = /^(batteryLevel|margin|externalPowerSource|batteryLevelUnavailable)$/
const EUI = /^[0-9a-f]{16}$/

export const chirpstack: Firmware = {
  carrier: () => 'chirpstack',
  will: nobody,
  availability: nobody,
  hello: (base, moment) => [said(`${base}/event/join`, { ...headOf(base, moment), devAddr: addressOf(moment) }, [])],
  report(base, fields, moment) {
    const own = spoken(fields).filter(({ path }) => path !== 'event')
    const status = own.filter(({ path }) => OF_STATUS.test(path))
    const up = own.filter(({ path }) => !OF_STATUS.test(path))
    return [...eventOf(base, 'up', up, moment), ...eventOf(base, 'status', status, moment)]
  },
  another(base) {
    const eui = base.split('/').at(-1) ?? ''
    const next = EUI.test(eui)
      ? ((BigInt(`0x${eui}`) + 1n) & 0xffff_ffff_ffff_ffffn).toString(16).padStart(16, '0')
      : `${eui}_2nd`
    return [...base.split('/').slice(0, -1), next].join('/')
  },
}

function eventOf(base: string, event: 'up' | 'status', fields: readonly Field[], moment: Moment): readonly Said[] {
  if (fields.length === 0) return []
  const frame =
    event === 'up'
      ? { devAddr: addressOf(moment), adr: true, dr: 5, fCnt: moment.count, fPort: 85, confirmed: false }
      : {}
  return [said(`${base}/event/${event}`, { ...headOf(base, moment), ...frame, ...treeOf(fields) }, fields)]
}

function headOf(base: string, { id, at, began, count, seed }: Moment): object {
  return {
    deduplicationId: uuidOf(`${id} ${began} ${count} ${at}`, seed),
    time: new Date(at).toISOString().replace('Z', '+00:00'),
    deviceInfo: { deviceName: id, devEui: base.split('/').at(-1) ?? '' },
  }
}

/** After each join another, so that what was counted before is not mistaken for now. */
function addressOf({ id, began, seed }: Moment): string {
  return hex(`${id} ${began}`, seed)
}

function uuidOf(text: string, seed: number): string {
  const digits = [0, 1, 2, 3].map((part) => hex(`${text} ${part}`, seed)).join('')
  const variant = (0x8 | (Number.parseInt(digits[16] ?? '0', 16) & 0x3)).toString(16)
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `4${digits.slice(13, 16)}`,
    `${variant}${digits.slice(17, 20)}`,
    digits.slice(20),
  ].join('-')
}

function hex(text: string, seed: number): string {
  return seedOf(text, seed).toString(16).padStart(8, '0')
}
