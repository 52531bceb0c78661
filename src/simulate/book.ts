/** What happened, newest last, as much as there is room for: whoever checks a run compares with it. */
export class Book<T> {
  readonly #sizeMax: number
  #entries: T[] = []
  #dropped = 0

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax
  }

  /** When full, the oldest tenth goes at once: one move for many entries. */
  add(entry: T): void {
    if (this.#entries.length >= this.#sizeMax) {
      const gone = Math.ceil(this.#sizeMax / 10)
      this.#entries = this.#entries.slice(gone)
      this.#dropped += gone
    }
    this.#entries.push(entry)
  }

  get entries(): readonly T[] {
    return this.#entries
  }

  /** Entries that there was no room for. */
  get dropped(): number {
    return this.#dropped
  }
}
