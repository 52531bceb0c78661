/** The data directory: made if it is not there, and ours to write; or one sentence why not. */
import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Text } from '../model/point.ts'
import { groupOf, ROOT_GROUP } from '../runtime/group.ts'
import { Halt } from '../runtime/halt.ts'

const OTHER: Text = { en: 'choose another data directory with -d DIR', zh: '用 -d 指定其他数据目录' }

export function openFolder(dir: string): void {
  try {
    make(resolve(dir))
    if (!statSync(dir).isDirectory()) throw notFolder(dir)
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw error instanceof Error && 'code' in error ? (refusal(dir, String(error.code)) ?? error) : error
  }
}

/** Climbs by itself: a recursive mkdir of Node goes round for ever where the system takes no new names (/proc). */
function make(dir: string): void {
  try {
    mkdirSync(dir, 0o750)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || isThere(dirname(dir))) throw error
    make(dirname(dir))
    mkdirSync(dir, 0o750)
  }
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

function notFolder(dir: string): Halt {
  return new Halt({ kind: 'usage', text: { en: `${dir} is not a directory`, zh: `${dir} 不是目录` }, hint: OTHER })
}

function refusal(dir: string, code: string): Halt | null {
  switch (code) {
    case 'ENOTDIR':
      return notFolder(dir)
    case 'EACCES':
    case 'EPERM':
      return new Halt({
        kind: 'permission',
        text: { en: `no permission to write in ${dir}`, zh: `没有权限写入 ${dir}` },
        hint: permissionHint(groupOf(resolve(dir))),
      })
    case 'EROFS':
      return new Halt({
        kind: 'disk',
        text: { en: `${dir} is on a read-only file system`, zh: `${dir} 所在的文件系统是只读的` },
        hint: {
          en: 'look at mount and dmesg (a sick card turns read-only), or choose another data directory with -d DIR',
          zh: '用 mount 和 dmesg 查看（存储卡损坏会变为只读），或用 -d 指定其他数据目录',
        },
      })
    case 'ENAMETOOLONG':
    case 'ELOOP':
    case 'EINVAL':
      return new Halt({
        kind: 'usage',
        text: { en: `${dir} cannot be a directory (${code})`, zh: `${dir} 不能作为目录（${code}）` },
        hint: OTHER,
      })
    case 'ENOENT':
      return new Halt({
        kind: 'usage',
        text: { en: `${dir} cannot be made: this file system takes no new names`, zh: `无法在此文件系统中创建 ${dir}` },
        hint: OTHER,
      })
    default:
      return null
  }
}

function permissionHint(group: string): Text {
  if (group === ROOT_GROUP)
    return {
      en: 'it belongs to root: use sudo, or choose another data directory with -d DIR',
      zh: '它属于 root：使用 sudo，或用 -d 指定其他数据目录',
    }
  return {
    en: `it belongs to the group ${group}: run as its user (systemctl start gatehouse), or choose another data directory with -d DIR`,
    zh: `它属于用户组 ${group}：以该用户运行（systemctl start gatehouse），或用 -d 指定其他数据目录`,
  }
}
