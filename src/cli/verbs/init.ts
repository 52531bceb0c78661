/** `init [DIR]`: a commented first site.yaml and the folder for its secrets. Never over what is there. */
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { isReserved } from '../../driver/model.ts'
import { ID } from '../../driver/shapes.ts'
import { CliError, EXIT } from '../exit.ts'
import { printJson, printLines, type Session } from '../session.ts'
import { siteTemplate } from '../site-template.ts'
import { say } from '../text.ts'

const SITE_ID = 'my_site'

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
  if (json) printJson(io, { site: id, file, secrets })
  else printLines(io, [say(language, 'initDone', { file, secrets }), say(language, 'initNext', { file })])
  return EXIT.done
}

/** The folder's name where it makes an id. */
function idOf(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^[^a-z]+|_+$/g, '')
  return ID.test(name) && !isReserved(name) ? name : SITE_ID
}
