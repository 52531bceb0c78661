/** Each kind of file carries its version in `user_version`. Steps go up only; a file of a newer Gatehouse is left untouched. */
import type { Connection } from './database.ts'

export class NewerFileError extends Error {
  constructor(file: string, found: number, known: number) {
    super(
      `${file} was written by a newer Gatehouse (format ${found}, this one knows ${known}): ` +
        'install that version again, or restore a backup made by this one',
    )
    this.name = 'NewerFileError'
  }
}

/** `steps[n]` leads from version n to n + 1; each runs in a transaction of its own together with its number. */
export function migrate(db: Connection, file: string, steps: readonly string[]): void {
  const found = Number(db.pragma('user_version', { simple: true }))
  if (found > steps.length) throw new NewerFileError(file, found, steps.length)
  for (let version = found; version < steps.length; version++) {
    db.transaction(() => {
      db.exec(steps[version] ?? '')
      db.pragma(`user_version = ${version + 1}`)
    }).immediate()
  }
}
