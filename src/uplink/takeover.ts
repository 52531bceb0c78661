/**
 * Does somebody else connect with our identity? A broker closes the older of two connections of one client id, so two clones kick
 * each other out in turn (uplink contract, section 9, clone guard). MQTT 5 has a word for it (0x8E); 3.1.1 and some MQTT 5 brokers only hang up.
 */
export type Takeovers = {
  /** A connection ended. `certain`: the broker said why. `likely`: it hung up on an idle session and let us in again at once. */
  readonly ended: (now: number, how: { certain: boolean; likely: boolean; lastedMs: number }) => void
  /** An attempt failed: the server was away, so the hang-up before it was no takeover. */
  readonly failed: () => void
  /** A connection stands since `since`. */
  readonly standing: (now: number, since: number) => void
  readonly inUse: () => boolean
  /** The broker said so: telemetry is held back, alarms go on. */
  readonly isCertain: () => boolean
}

const TIMES = 3

export function createTakeovers(windowMs: number): Takeovers {
  let seen: { readonly at: number; readonly certain: boolean }[] = []
  let inUse = false
  let certain = false
  const clear = (): void => {
    seen = []
    inUse = false
    certain = false
  }
  return {
    ended(now, how) {
      if (how.lastedMs >= windowMs) clear()
      if (!how.certain && !how.likely) return
      seen = [...seen.filter(({ at }) => now - at < windowMs), { at: now, certain: how.certain }].slice(-TIMES)
      if (seen.length < TIMES) return
      inUse = true
      certain ||= seen.every((takeover) => takeover.certain)
    },
    failed() {
      if (seen.at(-1)?.certain === false) seen = seen.slice(0, -1)
    },
    standing(now, since) {
      if (inUse && now - since >= windowMs) clear()
    },
    inUse: () => inUse,
    isCertain: () => certain,
  }
}
