/**
 * The small shapes that site file and drivers share, and what to say when a value has another shape.
 * No transforms: the JSON Schemas are printed from these.
 */
import * as z from 'zod'
import type { Text } from '../model/point.ts'
import { DURATION, LINE, parseDuration, parseRate, parseSize, RATE, SIZE } from './units.ts'

/** What a shape wants, in words, for the message `… must be <this>`. */
export const EXPECT = z.registry<Text>()

export function expecting<S extends z.ZodType>(shape: S, en: string, zh: string): S {
  EXPECT.add(shape, { en, zh })
  return shape
}

export const ID = /^[a-z][a-z0-9_]{0,63}$/

export const id = expecting(
  z.string().regex(ID),
  'an id: lower-case letters, digits and _, beginning with a letter, at most 64',
  '标识符：小写字母、数字和下划线，以字母开头，最长64个字符',
)
export const label = expecting(z.string().min(1).max(1024), 'a text of 1 to 1024 characters', '1到1024个字符的文本')
export const duration = expecting(
  z
    .string()
    .regex(DURATION)
    .refine((written) => parseDuration(written) !== null),
  'a duration with its unit, such as 500ms, 5s, 10m, 24h or 30d, at most 1000y',
  '带单位的时长，如 500ms、5s、10m、24h、30d，不超过 1000y',
)
/** A parameter of the driver whose value is a duration. */
export const PARAM = /^params\.([a-z][a-z0-9_]{0,63})$/
export const delay = expecting(
  z
    .string()
    .regex(new RegExp(`${DURATION.source}|${PARAM.source}`))
    .refine((written) => PARAM.test(written) || parseDuration(written) !== null),
  'a duration such as 500ms or 30s, or a param of the driver that holds one: params.held_after',
  '时长，如 500ms、30s；或存有时长的驱动参数：params.held_after',
)
export const size = expecting(
  z
    .string()
    .regex(SIZE)
    .refine((written) => parseSize(written) !== null),
  'a size with its unit, such as 64KiB or 2GiB, at most 1024TiB',
  '带单位的容量，如 64KiB、2GiB，不超过 1024TiB',
)
export const rate = expecting(
  z
    .string()
    .regex(RATE)
    .refine((written) => parseRate(written, 's') !== null),
  'an amount per second or day, such as 32KiB/s or 2GiB/d, at most 64GiB/s',
  '每秒或每天的数据量，如 32KiB/s、2GiB/d，不超过 64GiB/s',
)
export const line = expecting(
  z.string().regex(LINE),
  'a line setting such as 9600 8N1: baud, data bits, parity N, E or O, stop bits',
  '串口参数，如 9600 8N1：波特率、数据位、校验（N、E、O）、停止位',
)
/** Also what a file in a folder may be called. */
export const SECRET_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/
export const secretName = expecting(
  z.string().regex(SECRET_NAME),
  'the name of a secret: letters, digits, _ . -',
  '密钥名称：字母、数字、_ . -',
)
/** What was written for it is never repeated in a message. */
export const secret = expecting(
  z.union([z.strictObject({ secret: secretName }), z.string().min(1).max(16_384)]),
  'a reference {secret: NAME}; a literal only with lab: true',
  '引用 {secret: 名称}；仅在 lab: true 时可写明文',
)
export const flag = expecting(z.boolean(), 'true or false', 'true 或 false')
export const number = expecting(z.number(), 'a number', '数字')
export const positive = expecting(z.number().positive(), 'a number above 0', '大于0的数字')
export const notNegative = expecting(z.number().min(0), 'a number, 0 or more', '不小于0的数字')
export const scalar = expecting(
  z.union([z.boolean(), z.number(), z.string().max(1024)]),
  'true, false, a number or a text',
  'true、false、数字或文本',
)
export const range = expecting(
  z.array(z.number()).length(2),
  'two numbers, [lowest, highest]',
  '两个数字：[最小值, 最大值]',
)

export const text = expecting(
  z.union([
    label,
    z
      .strictObject({
        en: label.optional().describe('English. Default: the Chinese one.'),
        zh: label.optional().describe('Chinese. Default: the English one.'),
      })
      .refine((value) => value.en !== undefined || value.zh !== undefined),
  ]),
  'a text, or {en: …, zh: …}',
  '文本，或 {en: …, zh: …}',
)
export type WrittenText = z.infer<typeof text>

/** CEL. */
export const expression = expecting(z.string().min(1).max(4096), 'a CEL expression', 'CEL 表达式')

export const role = expecting(
  z.enum(['viewer', 'operator', 'engineer', 'admin']),
  'a role: viewer, operator, engineer or admin',
  '角色：viewer、operator、engineer、admin',
)
export const priority = expecting(
  z.enum(['critical', 'high', 'medium', 'low']),
  'a priority: critical, high, medium or low',
  '优先级：critical、high、medium、low',
)

/** Both languages, always: where one is missing the other serves. */
export function bothLanguages(written: WrittenText): Text {
  if (typeof written === 'string') return { en: written, zh: written }
  return { en: written.en ?? written.zh ?? '', zh: written.zh ?? written.en ?? '' }
}
