import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

type Entry = { section: string; key: string; value: string }

/** A unit file as systemd reads it: sections, keys that may repeat, comments left out. */
function parseUnit(text: string): Entry[] {
  let section = ''
  const entries: Entry[] = []
  for (const line of text.split('\n')) {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const header = /^\[(\w+)\]$/.exec(trimmed)
    if (header) section = header[1]!
    else {
      const at = trimmed.indexOf('=')
      expect(at, trimmed).toBeGreaterThan(0)
      entries.push({ section, key: trimmed.slice(0, at), value: trimmed.slice(at + 1) })
    }
  }
  return entries
}

const read = (path: string): string => readFileSync(new URL(`../systemd/${path}`, import.meta.url), 'utf8')
const unit = parseUnit(read('gatehouse.service'))
const values = (key: string): string[] => unit.filter((entry) => entry.key === key).map((entry) => entry.value)

describe('gatehouse.service', () => {
  test.each([
    ['Type', 'notify'],
    ['NotifyAccess', 'main'],
    ['WatchdogSec', '60'],
    ['Restart', 'on-failure'],
    ['RestartPreventExitStatus', '78'],
    ['User', 'gatehouse'],
    ['SupplementaryGroups', 'dialout'],
    ['StateDirectory', 'gatehouse'],
    ['StateDirectoryMode', '0750'],
    ['ExecStart', '/opt/gatehouse/bin/gatehouse run -c /etc/gatehouse/site.yaml -d /var/lib/gatehouse'],
    ['ExecReload', '/bin/kill -HUP $MAINPID'],
    ['CapabilityBoundingSet', ''],
    ['NoNewPrivileges', 'yes'],
    ['ProtectSystem', 'strict'],
  ])('%s=%s', (key, value) => {
    expect(values(key)).toEqual([value])
  })

  test('restarts for ever: a failing start never uses up its attempts', () => {
    expect(values('StartLimitIntervalSec')).toEqual(['0'])
  })

  test('reaches serial ports of every kind, and no other device', () => {
    expect(values('DevicePolicy')).toEqual(['closed'])
    expect(values('DeviceAllow')).toEqual(
      ['ttyS', 'ttyUSB', 'ttyACM', 'ttyAMA', 'ttymxc'].map((driver) => `char-${driver} rw`),
    )
    expect(values('PrivateDevices')).toEqual([])
  })

  test('leaves Node its just-in-time compiler and the clock its question', () => {
    expect(values('MemoryDenyWriteExecute')).toEqual([])
    expect(values('ProtectClock')).toEqual([])
    // Filters apply in order: what @privileged takes away is given back after it.
    expect(values('SystemCallFilter')).toEqual(['@system-service', '~@privileged @resources', 'adjtimex clock_adjtime'])
  })

  test('keys stand in the section where systemd looks for them', () => {
    expect(unit.find((entry) => entry.key === 'StartLimitIntervalSec')?.section).toBe('Unit')
    expect(unit.find((entry) => entry.key === 'WatchdogSec')?.section).toBe('Service')
    expect(unit.find((entry) => entry.key === 'WantedBy')?.section).toBe('Install')
  })
})

test('the user and its directories are declared', () => {
  expect(read('sysusers.d/gatehouse.conf')).toMatch(/^u gatehouse - /m)
  expect(read('sysusers.d/gatehouse.conf')).toMatch(/^m gatehouse dialout$/m)
  expect(read('tmpfiles.d/gatehouse.conf')).toMatch(/^d \/etc\/gatehouse 0750 root gatehouse -$/m)
  expect(read('tmpfiles.d/gatehouse.conf')).toMatch(/^d \/etc\/gatehouse\/secrets 0700 gatehouse gatehouse -$/m)
})
