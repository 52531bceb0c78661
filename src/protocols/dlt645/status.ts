/** Bits of the status words 1 to 7 (04000501 to 04000507), 2007 edition. Names are those that the drivers use as flags. */

/** One public copy of the table tests words 3 and 4 with the same mask 10H: bit 3 is 08H. */
const PHASE_BITS: Readonly<Record<number, string>> = {
  0: 'voltage_loss',
  1: 'undervoltage',
  2: 'overvoltage',
  3: 'current_loss',
  4: 'overcurrent',
  5: 'overload',
  6: 'reverse_flow',
  7: 'phase_open',
  8: 'current_open',
}

const WORDS: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  1: {
    2: 'clock_battery_low',
    3: 'readout_battery_low',
    4: 'active_reverse',
    5: 'reactive_reverse',
    // From here on a registered extension, from general knowledge of the standard.
    8: 'control_loop_error',
    9: 'esam_error',
    12: 'program_error',
    13: 'memory_fault',
    14: 'overdrawn',
    15: 'clock_fault',
  },
  2: {
    0: 'active_reverse_a',
    1: 'active_reverse_b',
    2: 'active_reverse_c',
    4: 'reactive_reverse_a',
    5: 'reactive_reverse_b',
    6: 'reactive_reverse_c',
  },
  3: {
    0: 'period_set_2',
    3: 'programming_enabled',
    4: 'relay_open',
    5: 'zone_set_2',
    6: 'relay_command_open',
    7: 'pre_trip_warning',
    10: 'tariff_set_2',
    11: 'step_set_2',
  },
  4: PHASE_BITS,
  5: PHASE_BITS,
  6: PHASE_BITS,
  7: {
    0: 'voltage_sequence',
    1: 'current_sequence',
    2: 'voltage_unbalance',
    3: 'current_unbalance',
    4: 'auxiliary_lost',
    5: 'power_down',
    6: 'demand_exceeded',
    7: 'power_factor_low',
    8: 'current_unbalance_severe',
  },
}

const SUPPLIES = ['main', 'auxiliary', 'battery', 'unknown'] as const
const METER_KINDS = ['normal', 'energy_prepaid', 'money_prepaid', 'unknown'] as const

/** `number` 1 to 7. Bits by name, and the fields of more than one bit by their label. */
export function statusOf(number: number, word: number): Readonly<Record<string, boolean | string>> {
  const bits = Object.fromEntries(
    Object.entries(WORDS[number] ?? {}).map(([bit, name]) => [name, ((word >> Number(bit)) & 1) === 1]),
  )
  if (number === 1) return { demand_method: (word & 2) === 0 ? 'sliding' : 'interval', ...bits }
  if (number !== 3) return bits
  const supply = SUPPLIES[(word >> 1) & 3] ?? 'unknown'
  return { ...bits, power_source: supply, meter_kind: METER_KINDS[(word >> 8) & 3] ?? 'unknown' }
}
