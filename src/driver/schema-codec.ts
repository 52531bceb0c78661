/** The shape of the blocks `dlt645:`, `cjt188:` and `mbus:` of a driver: what a device bears, and the habits of its maker. */
import * as z from 'zod'
import { duration, expecting, flag, label } from './shapes.ts'

/** What holds on every bus. */
const pace = {
  minGap: duration
    .optional()
    .describe('Pause between two requests to this device. Default 0ms: the silence of the protocol does.'),
  guard: duration
    .optional()
    .describe('Silence on the wire before a request, at least. Default 0ms: the silence of the protocol does.'),
  timeout: duration
    .optional()
    .describe(
      'How long to wait for a reply. Default 1s: meters may take half a second, and infrared heads their time.',
    ),
  retries: expecting(z.int().min(0).max(10), 'a whole number, 0 to 10', '0到10的整数')
    .optional()
    .describe('Further attempts after a lost reply. Default 1: noise is single, a dead device should cost little.'),
  echo: flag.optional().describe('The RS-485 adapter returns what we send. Default false.'),
} as const

export const dlt645Block = z.strictObject({
  ...pace,
  rows: flag
    .optional()
    .describe(
      'Where two items of a row of the standard (three phases, all tariffs) are wanted, read the whole row. Default true; a meter ' +
        'that refuses a row is asked for its items one by one anyway.',
    ),
})

export const cjt188Block = z.strictObject({
  ...pace,
  type: label
    .optional()
    .describe(
      'The meter’s type as two hexadecimal digits: "10" cold water, "11" hot water, "20" heat, "30" gas, "AA" any. Default "10".',
    ),
  identifier: expecting(z.enum(['901F', '1F90']), '"901F" or "1F90"', '"901F" 或 "1F90"')
    .optional()
    .describe(
      'How the identifier of a question travels: 90 1F or 1F 90; answers may come either way. Default 901F, as most meters have it.',
    ),
  layout: label
    .optional()
    .describe(
      'The layout of its answers: water22_unit_after, water22_unit_before, heat46_unit_after or heat46_unit_before. Default: told by length and by where the unit codes stand.',
    ),
  status: expecting(z.enum(['low', 'high']), 'low or high', 'low 或 high')
    .optional()
    .describe(
      'From which end the bits of the status byte are counted: valve in its lowest two and battery in the third, or mirrored. Default low.',
    ),
  wakeUp: expecting(z.int().min(0).max(20), 'a whole number, 0 to 20', '0到20的整数')
    .optional()
    .describe('FE bytes before a request. Default 3; battery meters may want more.'),
})

export const mbusBlock = z.strictObject({
  ...pace,
  telegrams: expecting(z.int().min(1).max(16), 'a whole number, 1 to 16', '1到16的整数')
    .optional()
    .describe('How many telegrams of an answer to read. Default 16: all that it has.'),
})

/** By the protocol's name. */
export type CodecBlocks = {
  readonly dlt645?: z.infer<typeof dlt645Block> | undefined
  readonly cjt188?: z.infer<typeof cjt188Block> | undefined
  readonly mbus?: z.infer<typeof mbusBlock> | undefined
}
