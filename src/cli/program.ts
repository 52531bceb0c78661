/** Which verbs there are and what they take. Each verb's own file is loaded when it is called. */
import { Command, Option } from 'commander'
import type { Language } from '../model/site.ts'
import { parseDuration } from './duration.ts'
import { EXIT } from './exit.ts'
import type { Hosts } from './hosts.ts'
import type { Io } from './io.ts'
import { version } from '../runtime/root.ts'
import { type CommonOptions, DATA_DEFAULT, openSession, printJson, runOptions, type Session } from './session.ts'
import { addSiteVerbs } from './program-site.ts'
import type { DecodeOptions } from './verbs/decode.ts'
import type { HistoryOptions } from './verbs/history.ts'
import type { SimulateOptions } from './verbs/simulate.ts'
import { width } from './table.ts'
import { say, type TextKey } from './text.ts'

/** Long enough for an outage, its end and the drain. */
const DEMO_FOR = '60s'

/** `done` is told the exit code of the verb that ran. */
export function buildProgram(hosts: Hosts, io: Io, language: Language, done: (exit: number) => void): Command {
  const t = (key: TextKey): string => say(language, key)
  const program = new Command('gatehouse')
  program
    .description(t('about'))
    .addHelpText('after', `\n${t('helpMore')}`)
    .version(version(), '-V, --version', t('optVersion'))
    .helpOption('-h, --help', t('optHelp'))
    .helpCommand('help [verb]', t('verbHelp'))
    .configureHelp({
      showGlobalOptions: true,
      styleTitle: (title) => titled(title, t),
      subcommandTerm,
      displayWidth: width,
    })
    .configureOutput({ writeOut: io.out, writeErr: io.err, outputError: () => undefined })
    .exitOverride()
    .showSuggestionAfterError(false)
    .enablePositionalOptions(false)
  addCommon(program, t)

  /** A verb with the common options; `run` gets the session, then what commander parsed. */
  const verb = <Options extends object>(
    usage: string,
    about: TextKey,
    run: (session: Session, args: readonly string[], options: Options) => Promise<number>,
  ): Command => {
    const command = program
      .command(usage)
      .description(t(about))
      .helpOption('-h, --help', t('optHelp'))
      .allowExcessArguments(false)
      .action(async () => {
        const options = command.optsWithGlobals<CommonOptions & Options>()
        const args = command.processedArgs.flatMap((argument: unknown): string[] =>
          (Array.isArray(argument) ? argument : [argument]).filter((word) => typeof word === 'string'),
        )
        done(await run(openSession(options, io), args, options))
      })
    return command
  }

  verb('run', 'verbRun', (session) => hosts.run(runOptions(session)))
  verb<{ for?: string; data?: string }>('demo', 'verbDemo', (session, _, options) =>
    hosts.demo({
      forMs: parseDuration(options.for ?? DEMO_FOR, '--for', session.connection.language),
      // Only where -d was really given: the demo has a directory of its own.
      data: options.data ?? null,
      language: session.connection.asked,
      json: session.json,
      signal: io.signal,
      out: io.out,
      terminal: Number.isFinite(io.width),
    }),
  ).option('--for <time>', `${t('optFor')} (${DEMO_FOR})`)
  verb<SimulateOptions>('simulate', 'verbSimulate', async (session, _, options) =>
    (await import('./verbs/simulate.ts')).simulate(session, hosts.openSimulation, options),
  )
    .option('--port-base <port>', t('optPortBase'))
    .addOption(new Option('--fault <device=kind:share>', t('optFault')).argParser(collect))
    .option('--seed <number>', t('optSeed'))
    .option('--broker [url]', t('optBroker'))
  verb('check', 'verbCheck', async (session) => (await import('./verbs/check.ts')).check(session))
  verb('status', 'verbStatus', async (session) => (await import('./verbs/status.ts')).status(session))
  verb('buses', 'verbBuses', async (session) => (await import('./verbs/field.ts')).buses(session))
  verb('devices [id]', 'verbDevices', async (session, [id]) => (await import('./verbs/field.ts')).devices(session, id))
  verb('points [glob]', 'verbPoints', async (session, [glob]) =>
    (await import('./verbs/points.ts')).points(session, glob),
  )
  verb('watch [glob]', 'verbWatch', async (session, [glob]) => (await import('./verbs/points.ts')).watch(session, glob))
  verb('read <points...>', 'verbRead', async (session, ids) => (await import('./verbs/points.ts')).read(session, ids))
  verb('write <point> <value>', 'verbWrite', async (session, [point = '', value = '']) =>
    (await import('./verbs/points.ts')).write(session, point, value),
  )
  verb<{ all?: boolean }>('alarms', 'verbAlarms', async (session, _, options) =>
    (await import('./verbs/alarms.ts')).alarms(session, options),
  ).option('--all', t('optAlarmsAll'))
  verb<{ all?: boolean }>('ack [which]', 'verbAck', async (session, [which], options) =>
    (await import('./verbs/alarms.ts')).ack(session, which, options),
  ).option('--all', t('optAckAll'))
  verb<HistoryOptions>('history <point>', 'verbHistory', async (session, [point = ''], options) =>
    (await import('./verbs/history.ts')).history(session, point, options),
  )
    .addOption(new Option('--since <time>', t('optSince')).default('24h'))
    .option('--every <time>', t('optEvery'))
    .option('--plot', t('optPlot'))
    .option('--csv', t('optCsv'))
  verb('outbox', 'verbOutbox', async (session) => (await import('./verbs/outbox.ts')).outbox(session))
  verb('drivers [action] [what]', 'verbDrivers', async (session, [action = 'list', what]) =>
    (await import('./verbs/drivers.ts')).drivers(session, action, what),
  )
  verb<DecodeOptions>('decode <protocol> [data...]', 'verbDecode', async (session, [protocol = '', ...data], options) =>
    (await import('./verbs/decode.ts')).decode(session, protocol, data.join(' '), options),
  )
    .option('--request <hex>', t('optRequest'))
    .option('--topic <topic>', t('optTopic'))
    .option('--driver <id>', t('optDriver'))
    .option('--expect <printed>', t('optExpect'))
    .option('--model <name>', t('optModel'))
  verb('secret <action> <name>', 'verbSecret', async (session, [action = '', name = '']) =>
    (await import('./verbs/secret.ts')).secret(session, action, name),
  )
  addSiteVerbs(verb, t)
  verb('version', 'verbVersion', async (session) => {
    const facts = { version: version(), node: process.versions.node }
    if (session.json) printJson(io, facts)
    else io.out(`gatehouse ${facts.version} (Node ${facts.node})\n`)
    return EXIT.done
  })
  return program
}

function titled(title: string, t: (key: TextKey) => string): string {
  const known: Readonly<Record<string, TextKey>> = {
    'Usage:': 'helpUsage',
    'Options:': 'helpOptions',
    'Global Options:': 'helpCommon',
    'Commands:': 'helpCommands',
  }
  const key = known[title]
  return key === undefined ? title : t(key)
}

function subcommandTerm(command: Command): string {
  const words = command.registeredArguments.map((argument) => {
    const name = argument.variadic ? `${argument.name()}...` : argument.name()
    return argument.required ? `<${name}>` : `[${name}]`
  })
  return [command.name(), ...words].join(' ')
}

/** An option that may be given again. */
function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text]
}

/** Before or after the verb, as one likes. */
function addCommon(program: Command, t: (key: TextKey) => string): void {
  program
    .option('-c, --config <file>', t('optConfig'))
    .option('-d, --data <dir>', `${t('optData')} (${DATA_DEFAULT})`)
    .option('--json', t('optJson'))
    .option('--lang <language>', t('optLang'))
}
