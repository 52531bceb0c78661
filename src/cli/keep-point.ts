/** Writes where a point lies into the site file, and leaves everything else in it as it is: comments, order, blank lines. */
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type Document, isMap, parseDocument, type ToStringOptions } from 'yaml'
import { checkSite } from '../config/check.ts'
import type { Finding } from '../driver/finding.ts'
import { ROOT } from '../runtime/root.ts'

export type PlaceBlock = {
  readonly at: string
  readonly as: string
  readonly order?: string
  readonly scale?: number
  readonly bit?: number
}

export type KeepOutcome =
  | { readonly kind: 'kept'; readonly file: string }
  | { readonly kind: 'noDevice'; readonly known: readonly string[] }
  /** The file would not be sound afterwards; it is as it was. */
  | { readonly kind: 'refused'; readonly findings: readonly Finding[] }

/** Keys of an existing block that are not ours (unit, title …) stay. null: there is no such device; a RangeError: it is no YAML. */
export function withPoint(text: string, device: string, point: string, block: PlaceBlock): string | null {
  const document = parseDocument(text)
  const [fault] = document.errors
  if (fault !== undefined) throw new RangeError(fault.message)
  // Before it is edited: what prints it unchanged is how its author writes.
  const style = styleOf(document, text)
  const plain = document.toString(style)
  if (!isMap(document.getIn(['devices', device]))) return null
  const path = ['devices', device, 'points', point]
  if (!isMap(document.getIn(['devices', device, 'points']))) {
    document.setIn(['devices', device, 'points'], document.createNode({}))
  }
  if (!isMap(document.getIn(path))) {
    const node = document.createNode({ ...block })
    node.flow = true
    document.setIn(path, node)
    return restored(text, plain, document.toString(style))
  }
  for (const key of ['at', 'as', 'order', 'scale', 'bit'] as const) {
    const value = block[key]
    if (value === undefined) document.deleteIn([...path, key])
    else document.setIn([...path, key], value)
  }
  return restored(text, plain, document.toString(style))
}

/** The printing that leaves most lines of the file as they are. */
function styleOf(document: Document, text: string): ToStringOptions {
  const lines = text.split('\n')
  const styles: ToStringOptions[] = []
  for (const indent of [2, 4])
    for (const indentSeq of [true, false])
      for (const flowCollectionPadding of [false, true])
        styles.push({ lineWidth: 0, indent, indentSeq, flowCollectionPadding })
  const same = (style: ToStringOptions): number => {
    const printed = document.toString(style).split('\n')
    return printed.filter((line, at) => line === lines[at]).length
  }
  const [usual = {}] = styles
  return styles.reduce((best, style) => (same(style) > same(best) ? style : best), usual)
}

/** Printing aligns comments anew; lines before and behind the change are taken from the file itself where they are the same lines. */
function restored(text: string, plain: string, edited: string): string {
  const [old, printed, fresh] = [text.split('\n'), plain.split('\n'), edited.split('\n')]
  if (old.length !== printed.length) return edited
  const least = Math.min(printed.length, fresh.length)
  let before = 0
  while (before < least && printed[before] === fresh[before]) before += 1
  let behind = 0
  while (behind < least - before && printed.at(-1 - behind) === fresh.at(-1 - behind)) behind += 1
  const changed = fresh.slice(before, fresh.length - behind)
  return [...old.slice(0, before), ...changed, ...old.slice(old.length - behind)].join('\n')
}

/** Written beside it, checked, then put in its place at once. Throws the system's own errors. */
export function keepPoint(site: string, device: string, point: string, block: PlaceBlock): KeepOutcome {
  const file = realpathSync(site)
  const text = readFileSync(file, 'utf8')
  const edited = withPoint(text, device, point, block)
  if (edited === null) {
    const devices = parseDocument(text).get('devices')
    return { kind: 'noDevice', known: isMap(devices) ? devices.items.map(({ key }) => String(key)) : [] }
  }
  const fresh = join(dirname(file), `.${basename(file)}.${process.pid}`)
  try {
    write(fresh, edited, statSync(file))
    const { site: sound, findings } = checkSite(fresh, { libraries: [join(ROOT, 'drivers')] })
    if (sound === null) {
      const told = findings.filter(({ severity }) => severity === 'error')
      return { kind: 'refused', findings: told.map((each) => (each.file === fresh ? { ...each, file: site } : each)) }
    }
    renameSync(fresh, file)
  } finally {
    rmSync(fresh, { force: true })
  }
  sync(dirname(file))
  return { kind: 'kept', file }
}

function write(path: string, text: string, like: { mode: number; uid: number; gid: number }): void {
  const handle = openSync(path, 'wx', like.mode & 0o777)
  try {
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  chmodSync(path, like.mode & 0o777)
  if (process.getuid?.() === 0) chownSync(path, like.uid, like.gid)
}

/** A rename is on disk when its folder is. */
function sync(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
