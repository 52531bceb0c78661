/**
 * Who may come in and what he may say. Names and passwords are the site file's; nobody is anonymous, except on a loopback
 * listener of a site that names no client at all. Guessing is slowed down per name and per address.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { BrokerSettings } from '../model/site.ts'
import { contains, matches } from './topic.ts'

/** Where a connection comes from. */
export type Origin = {
  readonly address: string
  /** The listener is reachable from this machine only. */
  readonly loopback: boolean
  /** Common name of a client certificate that the listener's `ca` vouches for. */
  readonly certificate: string | null
}

export type Login = {
  readonly name: string
  readonly mayPublish: (topic: string) => boolean
  readonly maySubscribe: (filter: string) => boolean
}

export type LoginRefusal = 'anonymous' | 'password' | 'too_many_tries'

type Client = BrokerSettings['clients'][number]

const TRIES_WINDOW_MS = 60_000
const TRIES_MAX = 10
/** Names tried lately; when full, the oldest is forgotten. */
const TRIED_MAX = 1000

const ANYBODY: Login = loginOf({ id: '(anyone on this machine)', password: null, publish: ['#'], subscribe: ['#'] })

export type Access = {
  readonly login: (
    name: string | undefined,
    password: Uint8Array | undefined,
    origin: Origin,
  ) => Login | { readonly refused: LoginRefusal }
}

export function createAccess(clients: readonly Client[], mono: () => number): Access {
  const known = new Map(clients.map((client) => [client.id, client]))
  const tries = createTries(mono)
  return {
    login(name, password, origin) {
      if (name === undefined || name === '') {
        return clients.length === 0 && origin.loopback ? ANYBODY : { refused: 'anonymous' }
      }
      // Many programs share the address of this machine: there only the name counts.
      const marks = origin.loopback ? [`${origin.address} ${name}`] : [`${origin.address} ${name}`, origin.address]
      if (marks.some(tries.isOver)) return { refused: 'too_many_tries' }
      const client = known.get(name)
      if (client === undefined || !proves(client, password, origin)) {
        marks.forEach(tries.note)
        return { refused: 'password' }
      }
      return loginOf(client)
    },
  }
}

function loginOf(client: Client): Login {
  return {
    name: client.id,
    mayPublish: (topic) => !topic.startsWith('$') && client.publish.some((filter) => matches(filter, topic)),
    maySubscribe: (filter) => !filter.startsWith('$') && client.subscribe.some((allowed) => contains(allowed, filter)),
  }
}

/** A client without a password proves itself by its certificate, or by being on this machine. */
function proves(client: Client, password: Uint8Array | undefined, origin: Origin): boolean {
  if (origin.certificate === client.id) return true
  if (client.password === null) return origin.loopback
  return timingSafeEqual(digest(password ?? ''), digest(client.password.reveal()))
}

function digest(secret: Uint8Array | string): Uint8Array {
  return createHash('sha256').update(secret).digest()
}

function createTries(mono: () => number): { isOver: (mark: string) => boolean; note: (mark: string) => void } {
  const failures = new Map<string, { count: number; since: number }>()
  function recent(mark: string): { count: number; since: number } | undefined {
    const failure = failures.get(mark)
    return failure !== undefined && mono() - failure.since < TRIES_WINDOW_MS ? failure : undefined
  }
  return {
    isOver: (mark) => (recent(mark)?.count ?? 0) >= TRIES_MAX,
    note(mark) {
      const failure = recent(mark) ?? { count: 0, since: mono() }
      failure.count += 1
      failures.delete(mark)
      failures.set(mark, failure)
      const [oldest] = failures.keys()
      if (failures.size > TRIED_MAX && oldest !== undefined) failures.delete(oldest)
    },
  }
}
