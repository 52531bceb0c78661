/** Asking a device of the site by hand, ahead of its polls. */
import * as z from 'zod'
import type { Device } from '../model/site.ts'
import { findDevice } from './find.ts'
import { answering, OperationError } from './operation.ts'
import { closedOf, probeModbus } from './probing.ts'
import { probeAnswer, probeWanted } from './shapes-probe.ts'
import type { Visit } from '../bus/seats.ts'

export const probe = answering({
  name: 'probe',
  role: 'engineer',
  input: probeWanted.extend({ device: z.string().min(1).max(64) }),
  output: probeAnswer,
  run: ({ view }, { device: id, ...wanted }) => {
    const site = view.site()
    const device = findDevice(site, id)
    const { bus, visit } = visitOf(device)
    return probeModbus({ bus: view.wire(bus), visit, closed: closedOf(site, device) }, wanted)
  },
})

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
