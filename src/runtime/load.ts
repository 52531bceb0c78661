/** How much processor this process takes, all its threads together. */

export type LoadMeter = {
  /** Measures on; called every few seconds. */
  readonly look: () => void
  /** Share of one core, 0..1 and above, between the last two looks; before the second one since the process began. */
  readonly share: () => number
}

export type LoadSource = {
  /** Monotonic ms. */
  readonly mono: () => number
  /** Processor ms used by this process so far. */
  readonly usedMs: () => number
  /** How old the process is, in ms. */
  readonly ageMs: () => number
}

export function processLoad(mono: () => number): LoadSource {
  return {
    mono,
    usedMs() {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1000
    },
    ageMs: () => process.uptime() * 1000,
  }
}

export function createLoadMeter({ mono, usedMs, ageMs }: LoadSource): LoadMeter {
  let at = mono() - ageMs()
  let used = 0
  let share = 0
  const look = (): void => {
    const now = mono()
    const passed = now - at
    if (passed <= 0) return
    const total = usedMs()
    share = (total - used) / passed
    at = now
    used = total
  }
  look()
  return { look, share: () => share }
}
