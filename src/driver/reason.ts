/** What the system and the YAML parser complain of, in both languages. What is not in a table keeps its own sentence. */
import type { Text } from '../model/point.ts'

const SYSTEM: Readonly<Record<string, Text>> = {
  ENOENT: { en: 'there is no such file', zh: '文件不存在' },
  EACCES: { en: 'no permission to read it', zh: '没有读取权限' },
  EPERM: { en: 'no permission to read it', zh: '没有读取权限' },
  EISDIR: { en: 'it is a folder', zh: '它是文件夹' },
  ENOTDIR: { en: 'a part of its path is no folder', zh: '路径中有一段不是文件夹' },
  ELOOP: { en: 'its links go round in a circle', zh: '符号链接循环' },
  ENAMETOOLONG: { en: 'its name is too long', zh: '文件名过长' },
  EMFILE: { en: 'too many files are open', zh: '打开的文件过多' },
  EIO: { en: 'the disk failed (EIO)', zh: '磁盘读取错误（EIO）' },
}

const YAML: Readonly<Record<string, string>> = {
  ALIAS_PROPS: '别名（*name）不能再带标签或锚点',
  BAD_ALIAS: '别名或锚点名称无效',
  BAD_COLLECTION_TYPE: '标签与内容类型不符',
  BAD_DIRECTIVE: '无效的 % 指令',
  BAD_DQ_ESCAPE: '双引号内的 \\ 转义无效',
  BAD_INDENT: '缩进不一致',
  BAD_PROP_ORDER: '标签或锚点位置不对',
  BAD_SCALAR_START: '值的首字符不允许',
  BLOCK_IN_FLOW: '{ } 或 [ ] 内不能用缩进写法',
  KEY_OVER_1024_CHARS: '键过长',
  MISSING_CHAR: '缺少逗号、冒号、引号或空格',
  MULTILINE_IMPLICIT_KEY: '键必须写在一行内',
  MULTIPLE_ANCHORS: '一个值只能有一个锚点',
  MULTIPLE_TAGS: '一个值只能有一个标签',
  TAG_RESOLVE_FAILED: '无法识别的标签（以 ! 开头的词）',
  UNEXPECTED_TOKEN: '此处多出了符号',
}

/** Why a file could not be read. */
export function systemReason(error: Error): Text {
  const known = 'code' in error && typeof error.code === 'string' ? SYSTEM[error.code] : undefined
  if (known !== undefined) return known
  // Without the call and path that Node adds.
  const own = error.message.replace(/, \w+( '.*')?$/, '')
  return { en: own, zh: own }
}

/** Why this is not YAML. */
export function yamlReason({ code, message }: { readonly code: string; readonly message: string }): Text {
  const zh = YAML[code]
  return { en: message, zh: zh === undefined ? message : `${zh}（${message}）` }
}
