/** The command line in this process, on a screen of 80 columns that can be read afterwards. */
import { runCli } from '../../src/cli/cli.ts'
import type { Hosts } from '../../src/cli/hosts.ts'
import type { Io } from '../../src/cli/io.ts'

export type Ran = {
  readonly exit: number
  readonly out: string
  readonly err: string
  readonly lines: readonly string[]
}

export const NO_HOSTS: Hosts = {
  run: () => Promise.reject(new Error('run was not expected')),
  demo: () => Promise.reject(new Error('demo was not expected')),
  openSimulation: () => Promise.reject(new Error('simulate was not expected')),
}

export async function runOn(
  argv: readonly string[],
  options: { hosts?: Partial<Hosts>; io?: Partial<Io> } = {},
): Promise<Ran> {
  let out = ''
  let err = ''
  const io: Io = {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    width: 80,
    color: false,
    progress: false,
    env: { LANG: 'C.UTF-8' },
    signal: new AbortController().signal,
    ...options.io,
  }
  const exit = await runCli(argv, { ...NO_HOSTS, ...options.hosts }, io)
  return { exit, out, err, lines: out.split('\n').slice(0, -1) }
}
