/**
 * When the front posts: urgent deltas at once, the next ones at least 10 ms apart, widening to 200 ms under a flood; the rest every
 * `commitEvery`. One commit is under way at a time, so a slow disk makes commits larger, not more.
 */
const SPACING_MIN_MS = 10
const SPACING_MAX_MS = 200
const WIDEN = 1.25

export class Pace {
  readonly #post: (isRegular: boolean) => Promise<void>
  #everyMs: number
  #spacingMs = SPACING_MIN_MS
  #cooling: NodeJS.Timeout | null = null
  #regular: NodeJS.Timeout | null = null
  #isUnderWay = false
  #isWanted = false
  #isClosed = false

  /** `post` never rejects; it is told whether it is the regular one, or one that somebody waits for. */
  constructor(everyMs: number, post: (isRegular: boolean) => Promise<void>) {
    this.#everyMs = everyMs
    this.#post = post
  }

  set everyMs(everyMs: number) {
    this.#everyMs = everyMs
  }

  /** Something waits that has time. */
  later(): void {
    if (this.#regular !== null || this.#isClosed) return
    this.#regular = setTimeout(() => {
      this.#regular = null
      this.#run(true)
    }, this.#everyMs)
  }

  urgent(): void {
    if (this.#isClosed) return
    this.#isWanted = true
    if (this.#cooling === null) this.#runUrgent()
  }

  #runUrgent(): void {
    if (this.#isUnderWay) return
    this.#isWanted = false
    this.#cooling = setTimeout(() => {
      this.#cooling = null
      if (this.#isWanted) {
        this.#spacingMs = Math.min(SPACING_MAX_MS, this.#spacingMs * WIDEN)
        this.#runUrgent()
      } else this.#spacingMs = SPACING_MIN_MS
    }, this.#spacingMs)
    this.#run(false)
  }

  #run(isRegular: boolean): void {
    if (this.#isUnderWay) {
      this.later()
      return
    }
    this.#isUnderWay = true
    void this.#post(isRegular).finally(() => {
      this.#isUnderWay = false
      if (this.#isWanted && this.#cooling === null) this.#runUrgent()
    })
  }

  close(): void {
    this.#isClosed = true
    if (this.#cooling !== null) clearTimeout(this.#cooling)
    if (this.#regular !== null) clearTimeout(this.#regular)
  }
}
