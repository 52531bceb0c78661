/** What a PUBACK's reason code means for the batch (MQTT 5.0, 3.4.2.1; uplink contract, section 4, step 6). */

/** `unclear`: the broker did not take it and does not say that it never will. */
export type Verdict = 'delivered' | 'undelivered' | 'refused' | 'slow' | 'unclear'

const VERDICTS: Readonly<Record<number, Verdict>> = {
  0x00: 'delivered',
  0x10: 'undelivered', // no matching subscribers
  0x83: 'refused', // implementation specific error
  0x87: 'refused', // not authorized
  0x90: 'refused', // topic name invalid
  0x97: 'slow', // quota exceeded
  0x99: 'refused', // payload format invalid
}

export function verdictOf(code: number): Verdict {
  return VERDICTS[code] ?? 'unclear'
}

/** A server's reasons to disconnect that have nothing to do with what we sent (MQTT 5.0, 3.14.2.1). */
const SERVERS_OWN: ReadonlySet<number> = new Set([
  0x89, // server busy
  0x8b, // server shutting down
  0x8d, // keep alive timeout
  0x8e, // session taken over
  0x98, // administrative action
  0x9c, // use another server
  0x9d, // server moved
  0x9f, // connection rate exceeded
  0xa0, // maximum connect time
])

/** May this end of a connection be the answer to a batch? Without a code (3.1.1) it may. */
export function mayAnswerBatch(by: 'peer' | 'line' | 'us', code: number | null): boolean {
  return by === 'peer' && (code === null || !SERVERS_OWN.has(code))
}

export const TAKEN_OVER = 0x8e
