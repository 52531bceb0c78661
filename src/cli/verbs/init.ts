/** `init [DIR]`: a commented first site.yaml, the folder for its secrets, and in it the gateway's private key. Never over what is there. */
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { writeSecret } from '../../config/secrets.ts'
import { isReserved } from '../../driver/model.ts'
import { ID } from '../../driver/shapes.ts'
import { CliError, EXIT } from '../exit.ts'
import { printJson, printLines, type Session } from '../session.ts'
import { siteTemplate } from '../site-template.ts'
import { say } from '../text.ts'

const SITE_ID = 'my_site'
const KEY_NAME = 'gw_key'

export async function init(session: Session, directory: string): Promise<number> {
  const { io, json, connection } = session
  const language = connection.language ?? 'en'
  const folder = resolve(directory)
  const file = join(folder, 'site.yaml')
  if (existsSync(file))
    throw new CliError(EXIT.usage, 'E_ARGS', say(language, 'fileExists', { file }), say(language, 'initExistsHint'))
  mkdirSync(folder, { recursive: true })
  const secrets = join(folder, 'secrets')
  mkdirSync(secrets, { recursive: true, mode: 0o700 })
  // One that was there, or an umask that is too open.
  if ((statSync(secrets).mode & 0o077) !== 0) chmodSync(secrets, 0o700)
  const id = idOf(folder)
  // `wx`: somebody may have been quicker.
  writeFileSync(file, siteTemplate(language, id), { flag: 'wx', mode: 0o640 })
  const key = makeKey(secrets)
  if (json) printJson(io, { site: id, file, secrets, keys: [key] })
  else {
    const lines = [say(language, 'initDone', { file, secrets }), say(language, 'initKey', { key })]
    printLines(io, [...lines, say(language, 'initNext', { file })])
  }
  return EXIT.done
}

/** What proves to a cloud who we are. One that is there may have its certificate already. */
function makeKey(secrets: string): string {
  const path = join(secrets, KEY_NAME)
  if (existsSync(path)) return path
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return writeSecret(KEY_NAME, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), secrets)
}

/** The folder's name where it makes an id. */
function idOf(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^[^a-z]+|_+$/g, '')
  return ID.test(name) && !isReserved(name) ? name : SITE_ID
}
