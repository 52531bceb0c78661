/** Why the store could not be opened, where it is nobody's bug: a damaged file, a file of a newer Gatehouse. */
import { Halt, type HaltWords } from '../runtime/halt.ts'
import { isCorruption } from './database.ts'

export function haltOf(error: unknown, dir: string): HaltWords | null {
  if (error instanceof Halt) return { kind: error.kind, text: error.text, hint: error.hint }
  if (!(error instanceof Error) || !isCorruption(error)) return null
  return {
    kind: 'disk',
    text: {
      en: `a database in ${dir} is damaged (${error.message})`,
      zh: `${dir} 中的数据库已损坏（${error.message}）`,
    },
    hint: {
      en: `keep a copy of ${dir}, check the disk (dmesg), then begin with an empty directory: the cloud will see a new epoch`,
      zh: `先备份 ${dir}，检查磁盘（dmesg），再用空目录启动：云端会看到新的 epoch`,
    },
  }
}
