/**
 * The site file looked at in a thread of its own: reading, checking and resolving a large site takes a second, in which no bus would be
 * polled. The thread ends with its answer. Secrets cannot cross as they are; they do as text, and are wrapped again on arrival.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { type Checked, checkSite } from './check.ts'
import { createSecret } from './secrets.ts'

type Asked = { readonly file: string; readonly libraries: readonly string[] }

/** A secret on its way between two threads of this process. */
const SECRET = '\u0000secret'

/** As `checkSite`, beside everything else. Rejects only for a bug. */
export function checkBeside(file: string, libraries: readonly string[]): Promise<Checked> {
  const asked: Asked = { file, libraries }
  const worker = new Worker(ownUrl(), { workerData: asked, name: 'check' })
  return new Promise((resolve, reject) => {
    worker.once('message', (checked: Checked) => resolve(restored(checked)))
    worker.once('error', (error) => reject(error instanceof Error ? error : new Error(String(error))))
    worker.once('exit', () => reject(new Error('the thread that checks the site file ended without an answer')))
  })
}

/** In development this file; in the bundle `checker.js` lies beside the chunk that this is part of. */
function ownUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? import.meta.url : './checker.js', import.meta.url)
}

type Frozen = <T>(value: T) => T

const packed: Frozen = (value) => walk(value, (object) => ('reveal' in object ? { [SECRET]: revealed(object) } : null))

const restored: Frozen = (value) =>
  walk(value, (object) => {
    const text = (object as Record<string, unknown>)[SECRET]
    return typeof text === 'string' ? createSecret(text) : null
  })

function revealed(object: object): string {
  return 'reveal' in object && typeof object.reveal === 'function' ? String(object.reveal()) : ''
}

/** Every object is replaced by what `swap` gives for it, else by a frozen copy of itself; what is shared stays shared. */
function walk<T>(value: T, swap: (object: object) => object | null): T {
  const known = new Map<object, unknown>()
  const visit = (member: unknown): unknown => {
    if (typeof member !== 'object' || member === null) return member
    const done = known.get(member)
    if (done !== undefined) return done
    const swapped = swap(member)
    const copy: unknown =
      swapped ??
      Object.freeze(
        Array.isArray(member)
          ? member.map(visit)
          : Object.fromEntries(Object.entries(member).map(([key, inner]) => [key, visit(inner)])),
      )
    known.set(member, copy)
    return copy
  }
  return visit(value) as T
}

if (!isMainThread && parentPort !== null && isAsked(workerData)) {
  const { file, libraries } = workerData
  parentPort.postMessage(packed(checkSite(file, { libraries })))
}

function isAsked(data: unknown): data is Asked {
  return typeof data === 'object' && data !== null && 'file' in data && 'libraries' in data
}
