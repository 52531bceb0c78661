/** Asking a device of the site, or whoever has a unit number on one of its buses, by hand and ahead of the polls. */
import * as z from 'zod'
import { parseLine } from '../driver/units.ts'
import type { Bus, Device, Site } from '../model/site.ts'
import { findBus, findDevice } from './find.ts'
import { askRunning } from './inquire.ts'
import { answering, OperationError } from './operation.ts'
import { type Closed, closedOf, probeModbus } from './probing.ts'
import { probeAnswer, probeWanted } from './shapes-probe.ts'
import type { Visit } from '../bus/seats.ts'

export const probe = answering({
  name: 'probe',
  role: 'engineer',
  input: probeWanted.extend({
    device: z.string().min(1).max(64).optional(),
    /** In place of a device: a bus, and who on it. */
    bus: z.string().min(1).max(64).optional(),
    unit: z.int().min(1).max(255).optional(),
    /** Of a unit that the site does not have; one that it has is asked as the site says. */
    line: z.string().max(16).optional(),
    ascii: z.boolean().optional(),
  }),
  output: probeAnswer,
  run: async ({ view }, { device, bus, unit, line, ascii, ...wanted }) => {
    const site = view.site()
    const place =
      device !== undefined
        ? placeOfDevice(site, findDevice(site, device))
        : bus !== undefined && unit !== undefined
          ? placeOfUnit(site, findBus(site, bus), { unit, line, ascii })
          : null
    if (place === null)
      throw new OperationError('E_ARGS', {
        en: 'say a device, or a bus and a unit on it',
        zh: '请指明设备，或总线及其站号',
      })
    return askRunning(() => probeModbus({ ...place, bus: view.wire(place.bus) }, wanted))
  },
})

type Probed = { readonly bus: number; readonly visit: Visit; readonly closed: readonly Closed[] }

function placeOfDevice(site: Site, device: Device): Probed {
  return { ...visitOf(device), closed: closedOf(site, device) }
}

type Who = {
  readonly unit: number
  readonly line: string | undefined
  readonly ascii: boolean | undefined
}

/** Where the site has it, what its driver closes stays closed. */
function placeOfUnit(site: Site, bus: Bus, { unit, line, ascii }: Who): Probed {
  const known = site.devices.filter(
    ({ link }) =>
      link.kind === 'bus' && link.bus === bus.index && link.protocol === 'modbus' && Number(link.address) === unit,
  )
  const visit: Visit = { protocol: 'modbus', address: unit }
  if (known.length > 0) return { bus: bus.index, visit, closed: known.flatMap((device) => closedOf(site, device)) }
  const setting = line === undefined ? undefined : parseLine(line)
  if (setting === null)
    throw new OperationError('E_ARGS', {
      en: `"${line}" is no line setting: write it like 9600 8N1`,
      zh: `“${line}”不是线路参数：应写作 9600 8N1`,
    })
  return {
    bus: bus.index,
    visit: {
      ...visit,
      ...(setting === undefined ? {} : { line: setting }),
      ...(ascii === undefined ? {} : { ascii }),
    },
    closed: [],
  }
}

/** Where a device is asked. Throws OperationError for one that has no registers. */
export function visitOf({ id, link }: Device): { readonly bus: number; readonly visit: Visit } {
  if (link.kind !== 'bus' || link.protocol !== 'modbus')
    throw new OperationError('E_ARGS', {
      en: `${id} does not speak Modbus: it has no registers to probe`,
      zh: `${id} 不是 Modbus 设备：没有可探测的寄存器`,
    })
  // Its own berth, with its limits and its line: left out here, so that the roster finds it.
  return { bus: link.bus, visit: { protocol: 'modbus', address: link.address } }
}
