/** The shape of the block that says what the lines of a device look like which prints them. */
import * as z from 'zod'
import { expecting } from './shapes.ts'

const ascii = (max: number, en: string, zh: string) =>
  expecting(z.string().regex(new RegExp(`^[\\u0000-\\u007f]{1,${max}}$`)), en, zh)

export const partText = expecting(
  z.string().regex(/^(line|field \d{1,4}|columns? \d{1,4}(-\d{1,4})?)$/),
  'a part of a line: field 2, columns 4-9, or line for all of it',
  '行中的位置：field 2、columns 4-9，或 line（整行）',
)

export const textlineBlock = z.strictObject({
  delimiter: ascii(4, 'one to four ASCII characters, such as "\\r\\n"', '1到4个 ASCII 字符，如 "\\r\\n"')
    .optional()
    .describe('Ends a line. Default "\\n", before which a "\\r" is left out: that serves both habits.'),
  begin: ascii(4, 'one to four ASCII characters, such as "\\x02"', '1到4个 ASCII 字符，如 "\\x02"')
    .optional()
    .describe('Stands before every line (STX); what comes before it is noise. Default: nothing.'),
  separator: expecting(z.string().min(1).max(4), 'one to four characters, such as ","', '1到4个字符，如 ","')
    .optional()
    .describe('Between fields; a blank stands for any number of them. Default: none, parts are columns.'),
  encoding: z
    .enum(['utf-8', 'gb18030', 'latin1'])
    .optional()
    .describe('Of the text. Default utf-8, which ASCII is part of.'),
  maxBytes: expecting(z.int().min(8).max(4096), 'a whole number, 8 to 4096', '8到4096的整数')
    .optional()
    .describe('A longer line is thrown away. Default 256: controllers print less.'),
  fields: expecting(z.int().min(1).max(256), 'a whole number, 1 to 256', '1到256的整数')
    .optional()
    .describe('How many fields every line has; others are refused. Default: not checked.'),
  id: partText
    .optional()
    .describe(
      'Where the line says which device it is of: what a site writes as `address`. Default: one device a wire.',
    ),
})

export type TextlineBlock = z.infer<typeof textlineBlock>
