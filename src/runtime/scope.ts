/** Who opens, closes: one scope per owner. Closing aborts its signal, then closes in reverse order, all of them, even when one fails. */
export type Closable = { readonly close: () => Promise<void> | void }

export class Scope {
  readonly #controller = new AbortController()
  readonly #closers: Closable[] = []
  #closing: Promise<void> | null = null

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  async open<T extends Closable>(opening: Promise<T> | T): Promise<T> {
    const opened = await opening
    this.#closers.push(opened)
    return opened
  }

  defer(close: () => Promise<void> | void): void {
    this.#closers.push({ close })
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeAll()
    return this.#closing
  }

  async #closeAll(): Promise<void> {
    this.#controller.abort()
    const errors: unknown[] = []
    for (const closer of this.#closers.reverse()) {
      try {
        await closer.close()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'closing failed')
  }
}
