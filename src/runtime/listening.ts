/** Why a port could not be listened on, in words. */
import type { Text } from '../model/point.ts'
import { Halt } from './halt.ts'

const WHY: Readonly<Record<string, Text>> = {
  EADDRINUSE: {
    en: 'something listens there already (ss -ltnp shows what)',
    zh: '该端口已被占用（用 ss -ltnp 查看占用者）',
  },
  EADDRNOTAVAIL: { en: 'this host has no such address', zh: '本机没有这个地址' },
  EACCES: { en: 'a port below 1024 needs a permission', zh: '1024 以下的端口需要权限' },
}

/** `way`: how to choose another. */
export function cannotListen(where: string, error: Error, way: Text): Halt {
  const code = 'code' in error ? String(error.code) : ''
  const why = WHY[code] ?? { en: error.message, zh: error.message }
  return new Halt({
    kind: code === 'EACCES' ? 'permission' : 'unreachable',
    text: { en: `cannot listen on ${where}: ${why.en}`, zh: `无法监听 ${where}：${why.zh}` },
    hint: way,
  })
}
