/**
 * A YAML file as data with places. Refuses, each with one clear line: what is too large, empty, binary, not UTF-8,
 * a tab as indentation, a key written twice, an alias bomb, `__proto__`, several documents, and an expression whose leading `!`
 * YAML took for a tag.
 */
import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import {
  type Document as YamlDocument,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml'
import type { Findings, Position } from './finding.ts'
import { systemReason, yamlReason } from './reason.ts'
import { sizeText } from './units.ts'

/** Keys and indices from the top of the document. */
export type Path = readonly (string | number)[]

export type Document = {
  readonly file: string
  /** Plain objects, arrays and scalars. No `__proto__` in it. */
  readonly data: unknown
  /** First 16 hex digits of SHA-256 over the file. */
  readonly sha: string
  /** Where the value stands; where it is missing, its nearest ancestor. */
  readonly at: (path: Path) => Position
  /** Where the key stands. */
  readonly keyAt: (path: Path) => Position
  /** A place inside a text value, given as 1-based line and column of that text. */
  readonly inside: (path: Path, line: number, column: number) => Position
  /** The value as written: `1.2E+11` where the data says 120000000000. */
  readonly written: (path: Path) => string | null
}

/** A site of 2,000 devices written out is 170 KB; whoever has more uses a table. */
export const BYTES_MAX = 1024 * 1024
/** Aliases are a convenience, not a multiplier. */
const ALIASES_MAX = 100

/** null: it could not be read as data; the findings say why. `file` is what findings call it. */
export function readDocument(path: string, file: string, findings: Findings): Document | null {
  const bytes = readBytes(path, file, findings)
  return bytes === null ? null : parseBytes(bytes, file, findings)
}

/** null: it cannot be read, or is too large to be looked at. Never reads more than the limit. */
export function readBytes(path: string, file: string, findings: Findings): Uint8Array | null {
  const at = { file, line: 1, col: 1 }
  try {
    const handle = openSync(path, 'r')
    try {
      const stat = fstatSync(handle)
      if (!stat.isFile()) findings.error(at, 'notAFile', {})
      else if (stat.size > BYTES_MAX)
        findings.error(at, 'tooLarge', { size: sizeText(stat.size), max: sizeText(BYTES_MAX) })
      else {
        const bytes = new Uint8Array(stat.size)
        let filled = 0
        while (filled < bytes.length) {
          const got = readSync(handle, bytes, filled, bytes.length - filled, filled)
          if (got === 0) break
          filled += got
        }
        return bytes.subarray(0, filled)
      }
    } finally {
      closeSync(handle)
    }
  } catch (error) {
    findings.error(at, 'unreadable', { why: systemReason(error instanceof Error ? error : new Error(String(error))) })
  }
  return null
}

export function parseBytes(bytes: Uint8Array, file: string, findings: Findings): Document | null {
  const at = { file, line: 1, col: 1 }
  const text = decodeText(bytes, at, findings)
  if (text === null) return null
  const lines = new LineCounter()
  const place = (offset: number): Position => ({ file, ...lines.linePos(Math.max(0, offset)) })
  const yaml = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' })
  if (!reportSyntax(yaml, text, place, findings)) return null
  if (yaml.contents === null) {
    findings.error(at, 'empty', {})
    return null
  }
  cleanKeys(yaml, place, findings)
  let data: unknown
  try {
    data = yaml.toJS({ maxAliasCount: ALIASES_MAX })
  } catch (error) {
    // The only things that yaml throws here: an alias without anchor, and too many aliases.
    if (!(error instanceof ReferenceError)) throw error
    if (error.message.startsWith('Excessive')) findings.error(at, 'aliasBomb', { max: ALIASES_MAX })
    else findings.error(place(firstAlias(yaml)), 'aliasUnknown', {})
    return null
  }
  const sha = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
  return { file, data, sha, ...places(yaml, text, place) }
}

/** UTF-8 with or without byte order mark. GBK is named, because that is what a Chinese spreadsheet or editor writes. */
function decodeText(bytes: Uint8Array, at: Position, findings: Findings): string | null {
  const [first, second] = bytes
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    findings.error(at, 'utf16', {})
    return null
  }
  const nul = bytes.indexOf(0)
  if (nul >= 0) {
    findings.error(at, 'binary', { offset: nul })
    return null
  }
  const text = decodeAs('utf-8', bytes)
  if (text !== null) return text
  if (decodeAs('gb18030', bytes) === null) findings.error(at, 'notUtf8', {})
  else findings.error(at, 'gbk', {})
  return null
}

/** null: these bytes are not text in that encoding. A byte order mark is left out. */
export function decodeAs(encoding: 'utf-8' | 'gb18030', bytes: Uint8Array): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) return null
    throw error
  }
}

/** false: the data cannot be trusted. A key written twice can be looked past, to find what else is wrong. */
function reportSyntax(
  yaml: YamlDocument.Parsed,
  text: string,
  place: (offset: number) => Position,
  findings: Findings,
): boolean {
  let sound = true
  const linesTold = new Set<number>()
  for (const fault of [...yaml.errors, ...yaml.warnings].toSorted((a, b) => a.pos[0] - b.pos[0])) {
    const at = place(fault.pos[0])
    if (fault.code !== 'DUPLICATE_KEY') sound = false
    // One mistake gives several errors in a row; the first of a line is the one to mend, and 20 are enough to begin with.
    if (linesTold.has(at.line) || linesTold.size >= 20) continue
    linesTold.add(at.line)
    tell(fault, at, text.split('\n')[at.line - 1] ?? '', findings)
    if (fault.code === 'RESOURCE_EXHAUSTION') break
  }
  visit(yaml, {
    Scalar(_key, node) {
      if (node.tag?.startsWith('!') !== true) return
      const at = place(node.range?.[0] ?? 0)
      sound = false
      if (!linesTold.has(at.line)) findings.error(at, 'bang', {})
      linesTold.add(at.line)
    },
  })
  return sound
}

function tell(fault: YAMLError, at: Position, line: string, findings: Findings): void {
  const bang = /:\s+!(?!!)/.exec(line)
  const indent = /^ *\t/.exec(line)
  if (bang !== null) findings.error({ ...at, col: bang.index + bang[0].length }, 'bang', {})
  else if (indent !== null) findings.error({ ...at, col: indent[0].length }, 'tab', {})
  else if (fault.code === 'DUPLICATE_KEY') findings.error(at, 'duplicateKey', { key: word(line, at.col) })
  else if (fault.code === 'MULTIPLE_DOCS') findings.error(at, 'severalDocuments', {})
  else if (fault.code === 'RESOURCE_EXHAUSTION') findings.error(at, 'tooDeep', {})
  else if (fault.code === 'BLOCK_AS_IMPLICIT_KEY') findings.error(at, 'colonInValue', {})
  else if (fault.code === 'BAD_SCALAR_START') findings.error(at, 'badStart', { char: line[at.col - 1] ?? '' })
  else if (fault.message.startsWith('Flow ')) findings.error(at, 'unclosed', {})
  else if (fault.code === 'MISSING_CHAR') findings.error(at, 'missingChar', { why: yamlReason(fault) })
  else findings.error(at, 'syntax', { why: yamlReason(fault) })
}

/** Takes out what must never become a property, and complains. */
function cleanKeys(yaml: YamlDocument.Parsed, place: (offset: number) => Position, findings: Findings): void {
  visit(yaml, {
    Pair(_key, pair) {
      const key = pair.key
      const at = place(isNode(key) ? (key.range?.[0] ?? 0) : 0)
      if (!isScalar(key) || key.value === null) {
        findings.error(at, 'keyNotText', {})
        return visit.REMOVE
      }
      if (key.value === '__proto__') {
        findings.error(at, 'proto', {})
        return visit.REMOVE
      }
      return undefined
    },
  })
}

function places(
  yaml: YamlDocument.Parsed,
  text: string,
  place: (offset: number) => Position,
): Pick<Document, 'at' | 'keyAt' | 'inside' | 'written'> {
  const nodeAt = (path: Path): Node | null => {
    let node: unknown = yaml.contents
    for (const step of path) {
      if (isAlias(node)) node = node.resolve(yaml)
      node = isCollection(node) ? node.get(isMap(node) ? keyOf(node, step) : step, true) : undefined
    }
    return isNode(node) ? node : null
  }
  const at = (path: Path): Position => {
    for (let length = path.length; length > 0; length--) {
      const node = nodeAt(path.slice(0, length))
      if (node?.range) return place(node.range[0])
    }
    return place(yaml.contents?.range[0] ?? 0)
  }
  return {
    at,
    keyAt(path) {
      const last = path.at(-1)
      const parent = resolved(nodeAt(path.slice(0, -1)), yaml)
      if (last !== undefined && isMap(parent))
        for (const pair of parent.items) {
          if (isPair(pair) && isScalar(pair.key) && String(pair.key.value) === String(last) && pair.key.range)
            return place(pair.key.range[0])
        }
      return at(path)
    },
    inside(path, line, column) {
      const start = at(path)
      const node = nodeAt(path)
      if (!isScalar(node) || !node.range || text.slice(node.range[0], node.range[1]).includes('\n')) return start
      const quoted = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE' ? 1 : 0
      return line === 1 ? { ...start, col: start.col + quoted + column - 1 } : start
    },
    written(path) {
      const node = nodeAt(path)
      return isScalar(node) && node.range ? text.slice(node.range[0], node.range[1]) : null
    },
  }
}

/** Data has text keys; in the file `0:` is a number. */
function keyOf(map: { items: readonly unknown[] }, step: string | number): unknown {
  for (const pair of map.items)
    if (isPair(pair) && isScalar(pair.key) && String(pair.key.value) === String(step)) return pair.key.value
  return step
}

function resolved(node: Node | null, yaml: YamlDocument): Node | null {
  if (!isAlias(node)) return node
  return node.resolve(yaml) ?? null
}

function firstAlias(yaml: YamlDocument): number {
  let found = 0
  visit(yaml, {
    Alias(_key, alias) {
      if (alias.resolve(yaml) !== undefined) return undefined
      found = alias.range?.[0] ?? 0
      return visit.BREAK
    },
  })
  return found
}

function word(line: string, col: number): string {
  return /^["']?([^"':,{}]*)/.exec(line.slice(col - 1))?.[1]?.trim() ?? ''
}
