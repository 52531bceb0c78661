/**
 * PEM files beside the site file, read and tried. One that is damaged is an error for our own broker, which could not open; of an
 * uplink it is a warning: the site is watched and alarmed without the cloud.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Text } from '../model/point.ts'
import type { Path } from '../driver/document.ts'
import { systemReason } from '../driver/reason.ts'
import type { Context } from './context.ts'

export type PemKind = 'certificate' | 'key'

const MARKS: Readonly<Record<PemKind, string>> = { certificate: 'CERTIFICATE', key: 'PRIVATE KEY' }
const NONE: Readonly<Record<PemKind, Text>> = {
  certificate: { en: 'holds no certificate in PEM form', zh: '其中没有 PEM 格式的证书' },
  key: { en: 'holds no private key in PEM form', zh: '其中没有 PEM 格式的私钥' },
}
const DAMAGED: Readonly<Record<PemKind, Text>> = {
  certificate: {
    en: 'its certificate is damaged, so no connection can use it: copy it again from whoever signed it',
    zh: '其中的证书已损坏，无法用于连接：请向签发者重新获取',
  },
  key: {
    en: 'this private key is damaged or wants a passphrase, so no connection can use it: store it again, without a passphrase',
    zh: '该私钥已损坏或带有口令，无法用于连接：请重新保存不带口令的私钥',
  },
}

export type PemUse = { readonly kind: PemKind; readonly damaged: 'error' | 'warning' }

/** Contents of a PEM file; empty after a finding. */
export function readPem(path: string, where: Path, use: PemUse, context: Context): string {
  const { folder, document, findings } = context
  const at = document.at(where)
  try {
    const file = resolve(folder, path)
    const mode = statSync(file).mode & 0o777
    if (use.kind === 'key' && (mode & 0o077) !== 0) findings.error(at, 'keyMode', { path, mode: mode.toString(8) })
    const text = readFileSync(file, 'utf8')
    if (!text.includes('-----BEGIN ') || !text.includes(MARKS[use.kind]))
      findings.error(at, 'pem', { path, why: NONE[use.kind] })
    else checkPem(text, path, where, use, context)
    return text
  } catch (error) {
    if (!(error instanceof Error)) throw error
    findings.error(at, 'pem', { path, why: systemReason(error) })
    return ''
  }
}

/** `name` is what the finding calls it: the file, or the secret. */
export function checkPem(
  text: string,
  name: string,
  where: Path,
  { kind, damaged }: PemUse,
  { document, findings }: Context,
): void {
  if (kind === 'key' ? isKey(text) : certificatesIn(text).every(isCertificate)) return
  const told = { path: name, why: DAMAGED[kind] }
  if (damaged === 'error') findings.error(document.at(where), 'pem', told)
  else findings.warn(document.at(where), 'pem', told)
}

/** A file of authorities holds many. */
function certificatesIn(text: string): readonly string[] {
  return text.match(/-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----[\s\S]*?-----END \1CERTIFICATE-----/g) ?? ['']
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).validTo !== ''
  } catch (error) {
    return refused(error)
  }
}

function isKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).type === 'private'
  } catch (error) {
    return refused(error)
  }
}

/** OpenSSL said no; anything else is a bug. */
function refused(error: unknown): false {
  if (error instanceof Error && 'code' in error) return false
  throw error
}
