/**
 * Finds and reads drivers: `drivers/` beside the site file first, then the installed library; the nearer one wins.
 * Each file is read once and checked by itself once, however many devices use it.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { nearest } from '../derive/nearest.ts'
import { type Document, readDocument } from './document.ts'
import type { Findings } from './finding.ts'
import { parseShape } from './issues.ts'
import { type Layer, merge, placeIn } from './layers.ts'
import { PAYLOAD_NAMES } from '../protocols/all.ts'
import { builtIn } from './codec.ts'
import { type DriverFile, driverSchema } from './schema.ts'
import { readVocabulary, type Vocabulary } from './vocabulary.ts'

export type Driver = {
  readonly name: string
  readonly file: string
  /** First 16 hex digits of SHA-256 over the file; over both digests where it has a parent. */
  readonly sha: string
  /** With its parent's maps merged in. */
  readonly data: DriverFile
  /** Its own document, then its parent's. */
  readonly layers: readonly Layer[]
  /** It stands in place of one of the installed library. */
  readonly shadows: boolean
}

export type Library = {
  /** null: there is none, or it has errors (findings were given). */
  readonly load: (name: string) => Driver | null
  /** A file of that name exists, sound or not; else the nearest name. */
  readonly find: (name: string) => { readonly file: string } | { readonly near: string | null }
  /** Names of all drivers, sorted. */
  readonly names: () => readonly string[]
  readonly vocabulary: Vocabulary
}

/** `folders` from near to far. Folders that do not exist are passed over. */
export function openLibrary(folders: readonly string[], findings: Findings): Library {
  // In a checkout the folder beside the site file may be the library itself.
  const present = [
    ...new Map(folders.filter((folder) => existsSync(folder)).map((folder) => [realpathSync(folder), folder])).values(),
  ]
  const loaded = new Map<string, Driver | null>()
  const vocabulary = readVocabulary(present, findings)

  const fileOf = (name: string): { file: string; shadows: boolean } | null => {
    // A name that is no name never becomes a path.
    if (!/^[a-z][a-z0-9_]*\/[a-z0-9_]+$/.test(name)) return null
    const files = present.map((folder) => join(folder, `${name}.yaml`)).filter((file) => existsSync(file))
    const [file] = files
    return file === undefined ? null : { file, shadows: files.length > 1 }
  }
  const names = (): readonly string[] => [...new Set(present.flatMap(namesIn))].sort()
  const load = (name: string): Driver | null => {
    const known = loaded.get(name)
    if (known !== undefined) return known
    const found = fileOf(name)
    const driver =
      found === null
        ? null
        : read(name, found, { parent: loadParent, fileOf: (of) => fileOf(of)?.file ?? null, names, findings })
    loaded.set(name, driver)
    return driver
  }
  const loadParent = (name: string): Driver | null => (fileOf(name) === null ? null : load(name))
  return {
    load,
    names,
    vocabulary,
    find(name) {
      const found = fileOf(name)
      return found === null ? { near: nearest(name, names()) } : { file: found.file }
    },
  }
}

function namesIn(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((category) =>
      readdirSync(join(folder, category.name))
        .filter((file) => file.endsWith('.yaml'))
        .map((file) => `${category.name}/${file.slice(0, -'.yaml'.length)}`),
    )
}

type Reading = {
  readonly parent: (name: string) => Driver | null
  /** Where it stands, sound or not; null: nowhere. */
  readonly fileOf: (name: string) => string | null
  readonly names: () => readonly string[]
  readonly findings: Findings
}

function read(name: string, { file, shadows }: { file: string; shadows: boolean }, reading: Reading): Driver | null {
  const before = reading.findings.errors
  const document = readDocument(file, file, reading.findings)
  const data = document === null ? null : parseShape(driverSchema, document.data, document, reading.findings)
  if (document === null || data === null) return null
  if (data.driver !== name)
    reading.findings.error(document.at(['driver']), 'driverMisnamed', { driver: data.driver, wanted: name })
  const driver = withParent(name, document, data, shadows, reading)
  if (driver !== null) requireKeys(driver, reading.findings)
  return reading.findings.errors > before ? null : driver
}

function withParent(
  name: string,
  document: Document,
  data: DriverFile,
  shadows: boolean,
  { parent: loadParent, fileOf, names, findings }: Reading,
): Driver | null {
  const own: Layer = { document, base: [], data: document.data }
  const { file, sha } = document
  if (data.extends === undefined) return { name, file, sha, data, layers: [own], shadows }
  const at = document.at(['extends'])
  if (data.extends === name) {
    findings.error(at, 'extendsSelf', { driver: name })
    return null
  }
  const parent = loadParent(data.extends)
  if (parent === null) {
    const file = fileOf(data.extends)
    if (file !== null) findings.error(at, 'driverBroken', { driver: data.extends, file })
    else findings.error(at, 'unknownDriver', { driver: data.extends, near: nearest(data.extends, names()) })
    return null
  }
  if (parent.data.extends !== undefined) {
    findings.error(at, 'chain', { parent: parent.name })
    return null
  }
  const together = createHash('sha256').update(sha).update(parent.sha).digest('hex').slice(0, 16)
  // Both were parsed by the schema, and merging keeps its shape: maps meet maps, scalars and lists replace.
  const merged = merge(parent.data, data) as DriverFile
  return { name, file, sha: together, data: merged, layers: [own, ...parent.layers], shadows }
}

/** What a file may leave to its parent, and somebody must say. */
function requireKeys({ name, data, layers }: Driver, findings: Findings): void {
  for (const key of ['title', 'category', 'protocol'] as const)
    if (data[key] === undefined) findings.error(placeIn(layers, []), 'missingKey', { key, where: name })
  if (data.category !== undefined && !name.startsWith(`${data.category}/`))
    findings.error(placeIn(layers, ['category']), 'categoryMismatch', { category: data.category, driver: name })
  if (data.protocol === 'mqtt' && data.payload === undefined)
    findings.error(placeIn(layers, ['protocol']), 'missingKey', { key: 'payload', where: name })
  if (data.payload !== undefined && !PAYLOAD_NAMES.includes(data.payload)) {
    const near = nearest(data.payload, PAYLOAD_NAMES)
    findings.error(placeIn(layers, ['payload']), 'unknownPayload', {
      payload: data.payload,
      near,
      known: PAYLOAD_NAMES,
    })
  }
  if (data.protocol === 'composed' && data.inputs === undefined)
    findings.error(placeIn(layers, ['protocol']), 'missingKey', { key: 'inputs', where: name })
  const { protocol } = data
  if (protocol === 'textline' && data.textline === undefined)
    findings.error(placeIn(layers, ['protocol']), 'missingKey', { key: 'textline', where: name })
  if (data.textline?.id?.startsWith('field') === true && data.textline.separator === undefined)
    findings.error(placeIn(layers, ['textline', 'id']), 'partSeparator', { at: data.textline.id })
  const blocks = (['modbus', 'dlt645', 'cjt188', 'mbus', 'textline'] as const).filter((name) => name !== protocol)
  const unfit = [
    ...(protocol === undefined ? [] : blocks),
    ...(builtIn(protocol) === null ? [] : (['inputs', 'payload'] as const)),
    ...(builtIn(protocol) === null || protocol === 'modbus' ? [] : (['manual'] as const)),
    ...(protocol === 'textline' ? (['inputs', 'payload', 'polls', 'manual'] as const) : []),
    ...(protocol === 'mqtt' ? (['inputs', 'line', 'polls', 'manual'] as const) : []),
    ...(protocol === 'composed' ? (['points', 'payload', 'line', 'polls', 'manual'] as const) : []),
  ]
  for (const key of unfit)
    if (data[key] !== undefined)
      findings.error(placeIn(layers, [key], 'key'), 'notForProtocol', { key, protocol: protocol ?? '' })
}
