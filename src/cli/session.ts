/** What every verb is given: the common options, resolved. */
import { existsSync } from 'node:fs'
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
  return {
    io,
    json: options.json === true,
    connection: { data: options.data ?? DATA_DEFAULT, language: chooseLanguage(options.lang, io.env), io },
    config: options.config ?? null,
  }
}

/** The option, else LANG if it is one of ours, else null: the site's. */
export function chooseLanguage(option: string | undefined, env: NodeJS.ProcessEnv): Language | null {
  const fromEnvironment = languageOf(env['LANG'] ?? '')
  if (option === undefined) return fromEnvironment
  if (option === 'en' || option === 'zh') return option
  throw new CliError(EXIT.usage, 'E_ARGS', say(fromEnvironment, 'badLanguage', { text: option }))
}

function languageOf(locale: string): Language | null {
  const [, word = ''] = /^([a-z]{2})(?:[_.@-]|$)/i.exec(locale) ?? []
  const lower = word.toLowerCase()
  return lower === 'zh' || lower === 'en' ? lower : null
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
  const { data, language } = session.connection
  return { config: findConfig(session), data, language, json: session.json }
}

/** One document; easier on the eye where an eye looks. */
export function printJson(io: Io, document: unknown): void {
  io.out(`${JSON.stringify(document, null, Number.isFinite(io.width) ? 2 : 0)}\n`)
}

export function printLines(io: Io, lines: readonly string[]): void {
  if (lines.length > 0) io.out(`${lines.join('\n')}\n`)
}
