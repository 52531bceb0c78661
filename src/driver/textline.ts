/** Drivers of devices that print lines: what their lines look like, and where in them the points stand. */
import type { TextlinePlace, TextPart } from '../model/point.ts'
import type { LineForm } from '../model/site.ts'
import { parsePart } from '../protocols/textline/index.ts'
import type { Build } from './points.ts'
import type { PointBlock } from './schema-point.ts'
import type { TextlineBlock } from './schema-textline.ts'

const MAX_BYTES = 256

export function lineForm(block: TextlineBlock): LineForm {
  return {
    delimiter: block.delimiter ?? '\n',
    begin: block.begin ?? '',
    separator: block.separator ?? null,
    encoding: block.encoding ?? 'utf-8',
    maxBytes: block.maxBytes ?? MAX_BYTES,
    fields: block.fields ?? null,
    id: block.id === undefined ? null : parsePart(block.id),
  }
}

/** Keys that mean nothing in a line. */
const UNFIT = [
  ...(['bit', 'bits', 'plus', 'flags', 'length', 'order', 'every', 'read', 'scaleFrom', 'field', 'write'] as const),
] as const

/** null after a finding. */
export function textlinePlace(key: string, block: PointBlock, build: Build): TextlinePlace | null {
  const { findings, at } = build
  for (const name of UNFIT)
    if (block[name] !== undefined)
      findings.error(at(['points', key, name]), 'notForProtocol', { key: name, protocol: 'textline' })
  if (block.as !== undefined && block.as !== 'bit' && block.as !== 'string')
    findings.error(at(['points', key, 'as']), 'notForProtocol', { key: `as: ${block.as}`, protocol: 'textline' })
  const part = partAt(block.at ?? '', ['points', key, 'at'], build)
  const only = Object.entries(block.only ?? {}).map(([where, text]) => ({
    part: partAt(where, ['points', key, 'only', where], build),
    text,
  }))
  if (part === null) return null
  return {
    protocol: 'textline',
    part,
    only: only.flatMap((each) => (each.part === null ? [] : [{ ...each, part: each.part }])),
  }
}

function partAt(written: string, path: readonly string[], { model, findings, at }: Build): TextPart | null {
  const part = parsePart(written)
  if (part === null) findings.error(at(path), 'badPart', { at: written })
  else if (part.kind === 'field' && model.textline?.separator === undefined) {
    findings.error(at(path), 'partSeparator', { at: written })
    return null
  }
  return part
}
