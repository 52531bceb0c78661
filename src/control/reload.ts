/** The site file, taken over without a restart. */
import * as z from 'zod'
import { answering } from './operation.ts'
import { reloadAnswer } from './shapes-field.ts'

export const reload = answering({
  name: 'reload',
  role: 'engineer',
  mutates: true,
  input: z.strictObject({}),
  output: reloadAnswer,
  run: async ({ view, caller }) => {
    const { outcome, why, findings, changes, cv, prev, tookMs } = await view.reload(`cli:${caller.name}`)
    const list = (of: 'buses' | 'devices' | 'rules') => ({
      added: [...(changes?.[of].added ?? [])],
      removed: [...(changes?.[of].removed ?? [])],
      changed: [...(changes?.[of].changed ?? [])],
    })
    return {
      outcome,
      why,
      findings: findings.map(({ file, line, col, severity, message }) => ({ file, line, col, severity, message })),
      buses: { ...list('buses'), kept: [...(changes?.buses.kept ?? [])] },
      devices: list('devices'),
      rules: list('rules'),
      uplinks: [...(changes?.uplinks.changed ?? [])],
      broker: changes !== null && !changes.brokerKept,
      restart: [...(changes?.restart ?? [])],
      cv,
      prev,
      tookMs,
    }
  },
})
