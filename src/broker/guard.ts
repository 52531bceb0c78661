/**
 * What a stranger can cost before he has logged in: aedes itself has no limit on the size of a packet, so twenty sockets with
 * half a CONNECT of 256 MB each would fill the memory. Fixed headers are read as bytes pass by; what announces too much is cut off.
 */
import type { Duplex } from 'node:stream'
import { PAYLOAD_MAX } from '../protocols/payload/payload.ts'

export const BEFORE_LOGIN_BYTES_MAX = 64 * 1024
/** A payload, its topic, packet id and header. */
const PACKET_BYTES_MAX = PAYLOAD_MAX + 1024
/** Sockets of one address that may be at their login at once; so many more wait for their turn, unread. */
export const LOGINS_PER_ADDRESS_MAX = 8
export const WAITING_PER_ADDRESS_MAX = 32
export const LOGIN_MS_MAX = 5000

export type GuardRefusal = 'packet_too_large' | 'too_many_logins' | 'login_too_slow'

export type Guard = {
  /** Calls `begin` now or when it is this stream's turn; destroys the stream when there are too many. */
  readonly admit: (stream: Duplex, address: string, begin: () => void) => void
  /** Watches the bytes of a stream that something else reads. */
  readonly watch: (stream: Duplex) => void
  readonly loggedIn: (stream: Duplex) => void
}

type Seat = { readonly address: string; readonly deadline: NodeJS.Timeout; state: 'waiting' | 'login' | 'in' }

export function createGuard(refuse: (why: GuardRefusal, address: string) => void): Guard {
  const seats = new Map<Duplex, Seat>()
  const queues = new Map<string, { stream: Duplex; begin: () => void }[]>()

  function count(address: string, state: Seat['state']): number {
    let many = 0
    for (const seat of seats.values()) if (seat.address === address && seat.state === state) many += 1
    return many
  }

  function callNext(address: string): void {
    const queue = queues.get(address)
    while (queue !== undefined && queue.length > 0 && count(address, 'login') < LOGINS_PER_ADDRESS_MAX) {
      const next = queue.shift()
      const seat = next === undefined ? undefined : seats.get(next.stream)
      if (next === undefined || seat === undefined) continue
      seat.state = 'login'
      next.begin()
    }
    if (queue?.length === 0) queues.delete(address)
  }

  return {
    admit(stream, address, begin) {
      if (count(address, 'waiting') >= WAITING_PER_ADDRESS_MAX) {
        refuse('too_many_logins', address)
        stream.destroy()
        return
      }
      const deadline = setTimeout(() => {
        refuse('login_too_slow', address)
        stream.destroy()
      }, LOGIN_MS_MAX)
      seats.set(stream, { address, deadline, state: 'waiting' })
      stream.once('close', () => {
        clearTimeout(deadline)
        seats.delete(stream)
        callNext(address)
      })
      const queue = queues.get(address) ?? []
      queues.set(address, queue)
      queue.push({ stream, begin })
      callNext(address)
    },
    watch(stream) {
      const measure = createMeter()
      let bytes = 0
      stream.on('data', (chunk: Uint8Array) => {
        bytes += chunk.length
        const seat = seats.get(stream)
        if (seat === undefined) return
        const largest = measure(chunk)
        const tooLarge =
          seat.state === 'in'
            ? largest > PACKET_BYTES_MAX
            : bytes > BEFORE_LOGIN_BYTES_MAX || largest > BEFORE_LOGIN_BYTES_MAX
        if (!tooLarge) return
        refuse('packet_too_large', seat.address)
        stream.destroy()
      })
    },
    loggedIn(stream) {
      const seat = seats.get(stream)
      if (seat === undefined) return
      seat.state = 'in'
      clearTimeout(seat.deadline)
      callNext(seat.address)
    },
  }
}

/**
 * Follows a stream of MQTT packets by their fixed headers alone. Each call returns the largest length that a header in this
 * chunk announces; infinity for a header that is none.
 */
export function createMeter(): (chunk: Uint8Array) => number {
  let skip = 0
  let inLength = false
  let length = 0
  let shift = 0
  return (chunk) => {
    let largest = 0
    for (let at = 0; at < chunk.length; ) {
      if (skip > 0) {
        const step = Math.min(skip, chunk.length - at)
        skip -= step
        at += step
        continue
      }
      const byte = chunk[at] ?? 0
      at += 1
      if (!inLength) {
        inLength = true
        length = 0
        shift = 0
        continue
      }
      length += (byte & 0x7f) * 2 ** shift
      shift += 7
      if (byte & 0x80) {
        if (shift >= 28) return Number.POSITIVE_INFINITY
        continue
      }
      inLength = false
      skip = length
      largest = Math.max(largest, length)
    }
    return largest
  }
}
