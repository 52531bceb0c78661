/** What every verb is given: the common options, resolved. */
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import type { Language } from '../model/site.ts'
import type { Connection } from './client.ts'
import { CliError, EXIT } from './exit.ts'
import type { RunOptions } from './hosts.ts'
import type { Io } from './io.ts'
import { say } from './text.ts'

export type CommonOptions = { config?: string; data?: string; json?: boolean; lang?: string }

export type Session = {
  readonly io: Io
  readonly json: boolean
  readonly connection: Connection
  /** As given with -c; null: look in the usual places. */
  readonly config: string | null
}

export const DATA_DEFAULT = '/var/lib/gatehouse'
export const CONFIG_PLACES: readonly string[] = ['site.yaml', '/etc/gatehouse/site.yaml']

export function openSession(options: CommonOptions, io: Io): Session {
  const asked = chooseLanguage(options.lang, io.env)
  const config = options.config ?? null
  return {
    io,
    json: options.json === true,
    connection: {
      data: options.data ?? DATA_DEFAULT,
      asked,
      get language() {
        return asked ?? glance(config) ?? 'en'
      },
      io,
    },
    config,
  }
}

/** The option, else LANG if it is one of ours, else null: the site's. */
export function chooseLanguage(option: string | undefined, env: NodeJS.ProcessEnv): Language | null {
  const fromEnvironment = languageOf(env['LANG'] ?? '')
  if (option === undefined) return fromEnvironment
  if (option === 'en' || option === 'zh') return option
  throw new CliError(
    EXIT.usage,
    'E_ARGS',
    say(fromEnvironment, 'badLanguage', { text: option }),
    say(fromEnvironment, 'optionLang'),
  )
}

function languageOf(locale: string): Language | null {
  const [, word = ''] = /^([a-z]{2})(?:[_.@-]|$)/i.exec(locale) ?? []
  const lower = word.toLowerCase()
  return lower === 'zh' || lower === 'en' ? lower : null
}

const GLANCE_BYTES = 64 * 1024

/** The site's language as its file plainly says it, without reading all of it; null: it does not, or there is none. */
export function glance(config: string | null): Language | null {
  const file = config ?? CONFIG_PLACES.find((place) => existsSync(place))
  if (file === undefined) return null
  const found = /^language:[ \t]*["']?(en|zh)\b/m.exec(beginningOf(file))?.[1]
  return found === 'en' || found === 'zh' ? found : null
}

/** Nothing where it cannot be read: whoever needs the file itself says why. */
function beginningOf(file: string): string {
  try {
    const handle = openSync(file, 'r')
    try {
      const bytes = Buffer.alloc(GLANCE_BYTES)
      return bytes.toString('utf8', 0, readSync(handle, bytes))
    } finally {
      closeSync(handle)
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error) return ''
    throw error
  }
}

/** The site file that the daemon would take too. */
export function findConfig(session: Session): string {
  if (session.config !== null) return session.config
  const found = CONFIG_PLACES.find((place) => existsSync(place))
  if (found !== undefined) return found
  const { language } = session.connection
  throw new CliError(
    EXIT.config,
    'E_CONFIG',
    say(language, 'noSiteFile', {
      files: CONFIG_PLACES.map((place) => (place.startsWith('/') ? place : `./${place}`)).join(', '),
    }),
    say(language, 'noSiteFileHint'),
  )
}

export function runOptions(session: Session): RunOptions {
  const { data, asked } = session.connection
  return { config: findConfig(session), data, language: asked, json: session.json }
}

/** One document; easier on the eye where an eye looks. */
export function printJson(io: Io, document: unknown): void {
  io.out(`${JSON.stringify(document, null, Number.isFinite(io.width) ? 2 : 0)}\n`)
}

export function printLines(io: Io, lines: readonly string[]): void {
  if (lines.length > 0) io.out(`${lines.join('\n')}\n`)
}
