/** Asking a device by hand over the control socket: reads only, in idle time where nobody waits. */
import { z } from 'zod'
import type { Site } from '../model/site.ts'
import { placeOf, stretchOf } from '../protocols/modbus/place.ts'
import { byHand } from '../driver/byhand.ts'
import { findBus } from './find.ts'
import { askBus, heard, type Inquiry, inquiry, wordsOf } from './inquiry.ts'
import { answering, OperationError } from './operation.ts'
import { closedOf } from './probing.ts'

export const inquire = answering({
  name: 'inquire',
  role: 'engineer',
  input: inquiry.extend({ bus: z.string().min(1).max(64) }),
  output: heard,
  run: async ({ view }, { bus: id, ...wanted }) => {
    const site = view.site()
    const bus = findBus(site, id)
    if (isPrivate(site, bus.index, wanted.address))
      throw new OperationError('E_DENIED', {
        en: `what address ${wanted.address} on ${id} says is personal: it is not read by hand`,
        zh: `${id} 上地址 ${wanted.address} 涉及个人信息：不能手工读取`,
      })
    refuseClosed(site, bus.index, wanted)
    const answer = await askRunning(() => askBus(view.wire(bus.index), wanted))
    if (typeof answer === 'string') throw new OperationError('E_ARGS', { en: answer, zh: answer })
    return answer
  },
})

export async function askRunning<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    // A protocol that does not run on this wire.
    if (error instanceof RangeError) throw new OperationError('E_ARGS', { en: error.message, zh: error.message })
    throw error
  }
}

/** What a driver forbids, or calls a hole, is not touched by hand either. */
function refuseClosed(site: Site, bus: number, { protocol, address, what }: Inquiry): void {
  if (protocol !== 'modbus' || 'who' in what) return
  const made = byHand(wordsOf(protocol, what))
  const place = typeof made === 'string' ? null : made.points.map(placeOf)[0]
  if (place === null || place === undefined) return
  const { start, end } = stretchOf(place)
  for (const device of site.devices) {
    const { link } = device
    if (link.kind !== 'bus' || link.bus !== bus || link.protocol !== protocol) continue
    if (String(link.address) !== String(address)) continue
    const closed = closedOf(site, device).find(
      (each) => each.table === place.table && each.start < end && start < each.end,
    )
    if (closed !== undefined)
      throw new OperationError('E_DENIED', {
        en: `${what.at} of ${device.id} is closed by its driver (forbidden, personal or a hole): it is not read by hand`,
        zh: `${device.id} 的 ${what.at} 在驱动中被禁止（forbidden、personal 或 holes）：不可手工读取`,
      })
  }
}

/** Raw bytes would tell a card number that the gateway itself never shows. */
function isPrivate(site: Site, bus: number, address: number | string): boolean {
  return site.devices.some(
    ({ link, points }) =>
      'bus' in link &&
      link.bus === bus &&
      (link.kind === 'lines' || String(link.address) === String(address)) &&
      points.some((index) => site.points[index]?.personal === true),
  )
}
