/** Each kind of file carries its version in `user_version`. Steps go up only; a file of a newer Gatehouse is left untouched. */
import { Halt } from '../runtime/halt.ts'
import type { Connection } from './database.ts'

function newerFile(file: string, found: number, known: number): Halt {
  return new Halt({
    kind: 'disk',
    text: {
      en: `${file} was written by a newer Gatehouse (format ${found}, this one knows ${known})`,
      zh: `${file} 由更新版本的 Gatehouse 写入（格式 ${found}，本版本只到 ${known}）`,
    },
    hint: {
      en: 'install that version again, or use another data directory: -d DIR',
      zh: '重新安装该版本，或用 -d 指定其他数据目录',
    },
  })
}

/** `steps[n]` leads from version n to n + 1; each runs in a transaction of its own together with its number. */
export function migrate(db: Connection, file: string, steps: readonly string[]): void {
  const found = Number(db.pragma('user_version', { simple: true }))
  if (found > steps.length) throw newerFile(file, found, steps.length)
  for (let version = found; version < steps.length; version++) {
    db.transaction(() => {
      db.exec(steps[version] ?? '')
      db.pragma(`user_version = ${version + 1}`)
    }).immediate()
  }
}
