/** What a process and a disk have used, read from the outside. */
import { existsSync, readFileSync, statSync } from 'node:fs'

/** User and system time of a process with all its threads, ms. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // utime and stime are fields 14 and 15 of proc(5), in ticks of 10 ms.
  return (Number(fields[11]) + Number(fields[12])) * 10
}

export function rssMb(pid: number): number {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+) kB/)
  return Number(line?.[1] ?? 0) / 1024
}

/** What the process itself caused to be written (proc(5), write_bytes), whatever the device made of it. */
export function processWritten(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/io`, 'utf8').match(/^write_bytes: (\d+)/m)?.[1] ?? 0)
}

/** Bytes written at the block device that holds `dir`, by all writers; null where there is no counter (tmpfs, overlay). */
export function blockCounter(dir: string): (() => number) | null {
  const { dev } = statSync(dir)
  // Linux: 12 bits of major, 20 of minor, interleaved (makedev(3)).
  const [major, minor] = [(dev >>> 8) & 0xfff, (dev & 0xff) | ((dev >>> 12) & 0xfff00)]
  const file = `/sys/dev/block/${major}:${minor}/stat`
  if (!existsSync(file)) return null
  return () => Number(readFileSync(file, 'utf8').trim().split(/\s+/)[6]) * 512
}
