/** What people see, from a real control socket, in both languages, on 80 columns. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { width } from '../../src/cli/table.ts'
import { openRig, type Rig } from '../control/rig.ts'
import { NOW } from '../control/fake.ts'
import { runOn } from './rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await openRig()
})
afterAll(() => rig.close())

async function screen(language: 'en' | 'zh', ...argv: string[]): Promise<readonly string[]> {
  const { lines, err } = await runOn([...argv, '-d', rig.data, '--lang', language])
  expect(err).toBe('')
  for (const line of lines) expect(width(line), line).toBeLessThanOrEqual(80)
  return lines
}

describe('status', () => {
  test('English', async () => {
    const lines = await screen('en', 'status')
    expect(lines.length).toBeLessThanOrEqual(23)
    expect(lines).toMatchInlineSnapshot(`
      [
        "Jinxiu Garden, phase 3 (jinxiu_3)  gateway jinxiu_3_gw1  0.1.0  up 3.2 d",
        "",
        "BROKEN",
        "! bus riser_b3 is offline for 65 s: wire or connection gone (devices: 1)",
        "  → Cable, adapter or serial server; is it powered?",
        "! uplink cloud is not connected for 2 min: connection refused",
        "  → Check the line and the server's name; data is kept here meanwhile: gatehouse",
        "    outbox",
        "",
        "Alarms  2 active, 2 unacknowledged",
        "    3  CRITICAL  unacknowledged  5 min     Domestic water supply lost",
        "       → Check pump room power and the drive's fault code",
        "    4  HIGH      acknowledged    65 s      Bus riser_b3 is offline",
        "    2  LOW       returned        2 h       Lobby is hot",
        "",
        "Devices  3 of 4 online",
        "Points   6: 3 good, 2 uncertain, 1 bad",
        "Buses    1 of 2 online, busiest pump_room 42 %",
        "Broker   2 clients on mqtt://127.0.0.1:1883",
        "Store    1 234 567 samples, 33 MiB, 120 ms behind, commit 1 s, wear 1.2 GiB/d",
        "Uplink   cloud not connected, 24 batches waiting (21 600 samples, oldest 2 min)",
        "Clock    trusted (synchronised)",
      ]
    `)
  })
  test('Chinese', async () => {
    const lines = await screen('zh', 'status')
    expect(lines.length).toBeLessThanOrEqual(23)
    expect(lines).toMatchInlineSnapshot(`
      [
        "锦绣花园三期（jinxiu_3）  网关 jinxiu_3_gw1  0.1.0  已运行 3.2 天",
        "",
        "故障",
        "! 总线 riser_b3 离线 65 秒：线路或连接断开（影响 1 台设备）",
        "  → 线缆、转换器或串口服务器；是否有电？",
        "! 上行 cloud 未连接 2 分钟：连接被拒绝",
        "  → 检查网络和服务器地址；数据保留在本机：gatehouse outbox",
        "",
        "告警  2 条活动，2 条未确认",
        "    3  紧急      未确认          5 分钟    生活供水中断",
        "       → 检查泵房电源与变频器故障码",
        "    4  重要      已确认          65 秒     总线 riser_b3 离线",
        "    2  提示      已恢复未确认    2 小时    大堂过热",
        "",
        "设备      3/4 在线",
        "点        共 6：3 正常，2 存疑，1 无效",
        "总线      1/2 在线，最忙 pump_room 42 %",
        "本地代理  2 个客户端，监听 mqtt://127.0.0.1:1883",
        "存储      1 234 567 条记录，33 MiB，滞后 120 毫秒，间隔 1 秒，写入 1.2 GiB/天",
        "上行      cloud 未连接，24 批等待（21 600 条，最早在 2 分钟前）",
        "时钟      可信（已同步）",
      ]
    `)
  })
})

describe('buses', () => {
  test('English', async () =>
    expect(await screen('en', 'buses')).toMatchInlineSnapshot(`
      [
        "BUS        STATE    DEVICES  LOAD   CYCLE  REPLY  ERRORS  WIRE",
        "pump_room  online       1/1  42 %  410 ms  14 ms       0  10.1.1.20",
        "riser_b3   offline      0/1   0 %       -      -      15  …4.0-usb-0:2:1.0-port0",
        "",
        "bus riser_b3 is offline for 65 s: wire or connection gone (devices: 1)",
        "  → Cable, adapter or serial server; is it powered?",
      ]
    `))
  test('Chinese', async () =>
    expect(await screen('zh', 'buses')).toMatchInlineSnapshot(`
      [
        "总线       状态  设备  负荷      周期     应答  错误  线路",
        "pump_room  在线   1/1  42 %  410 毫秒  14 毫秒     0  10.1.1.20",
        "riser_b3   离线   0/1   0 %         -        -    15  …4.0-usb-0:2:1.0-port0",
        "",
        "总线 riser_b3 离线 65 秒：线路或连接断开（影响 1 台设备）",
        "  → 线缆、转换器或串口服务器；是否有电？",
      ]
    `))
})

describe('devices', () => {
  test('English', async () =>
    expect(await screen('en', 'devices')).toMatchInlineSnapshot(`
    [
      "DEVICE     STATE                   LAST GOOD  BUS        ERRORS  NAME",
      "pump_1     online                     400 ms  pump_room       0  Domestic pump 1",
      "meter_7    offline: wire or conn…       65 s  riser_b3       15  Meter 7",
      "lobby_air  online                     400 ms  -               0  Lobby air",
      "lift_1     online                     400 ms  -               0  Lift 1",
    ]
  `))
  test('Chinese', async () =>
    expect(await screen('zh', 'devices')).toMatchInlineSnapshot(`
    [
      "设备       状态                  上次正常  总线       错误  名称",
      "pump_1     在线                  400 毫秒  pump_room     0  1号生活泵",
      "meter_7    离线：线路或连接断开     65 秒  riser_b3     15  7号电表",
      "lobby_air  在线                  400 毫秒  -             0  大堂空气",
      "lift_1     在线                  400 毫秒  -             0  1号电梯",
    ]
  `))
  test('one in full', async () =>
    expect(await screen('zh', 'devices', 'meter_7')).toMatchInlineSnapshot(`
    [
      "meter_7  7号电表  B3 B1 泵房",
      "恒压供水控制器，驱动 pump/constant_pressure_ptech；总线 riser_b3，地址 7",
      "离线，已 65 秒：线路或连接断开",
      "  → 线缆、转换器或串口服务器；是否有电？",
      "错误：超时 12，坏帧 3，设备拒绝 0",
      "",
      "点              值  单位  质量                   时效  名称",
      "meter_7.energy   -  kWh   无效：线路或连接断开  65 秒  电能",
    ]
  `))
})

describe('points', () => {
  test('English', async () =>
    expect(await screen('en', 'points')).toMatchInlineSnapshot(`
    [
      "POINT                   VALUE  UNIT  QUALITY                AGE  TITLE",
      "pump_1.outlet_pressure   0.31  MPa   good                400 ms  Outlet pressure",
      "pump_1.running            yes        good                400 ms  Running",
      "pump_1.setpoint          0.35  MPa   uncertain: unconf…  400 ms  Set point",
      "meter_7.energy              -  kWh   bad: wire or conn…    65 s  Energy",
      "lobby_air.temperature   21.25  °C    uncertain: too old     2 h  Temperature",
      "lift_1.running            yes        good                400 ms  Running",
    ]
  `))
  test('Chinese', async () =>
    expect(await screen('zh', 'points', 'pump_1')).toMatchInlineSnapshot(`
    [
      "点                        值  单位  质量              时效  名称",
      "pump_1.outlet_pressure  0.31  MPa   正常          400 毫秒  出口压力",
      "pump_1.running            是        正常          400 毫秒  运行",
      "pump_1.setpoint         0.35  MPa   存疑：未确认  400 毫秒  设定压力",
    ]
  `))
})

describe('alarms', () => {
  test('English', async () =>
    expect(await screen('en', 'alarms')).toMatchInlineSnapshot(`
    [
      "  3  CRITICAL  unacknowledged  5 min     Domestic water supply lost",
      "      water_supply_lost · pump_1.running = no",
      "      → Check pump room power and the drive's fault code",
      "  4  HIGH      acknowledged    65 s      Bus riser_b3 is offline",
      "      B3 · bus_offline.riser_b3",
      "  2  LOW       returned        2 h       Lobby is hot",
      "      lobby_hot · pump_1.running = no",
      "",
      "Acknowledge: gatehouse ack 3",
    ]
  `))
  test('Chinese, all', async () =>
    expect(await screen('zh', 'alarms', '--all')).toMatchInlineSnapshot(`
    [
      "  3  紧急      未确认          5 分钟    生活供水中断",
      "      water_supply_lost · pump_1.running = 否",
      "      → 检查泵房电源与变频器故障码",
      "  4  重要      已确认          65 秒     总线 riser_b3 离线",
      "      B3 · bus_offline.riser_b3",
      "  2  提示      已恢复未确认    2 小时    大堂过热",
      "      lobby_hot · pump_1.running = 否",
      "  1  一般      已抑制          5 分钟    7号电表离线",
      "      device_offline.meter_7 · pump_1.running = 否",
      "      → 检查泵房电源与变频器故障码",
      "",
      "确认：gatehouse ack 3",
    ]
  `))
})

test('outbox', async () =>
  expect(await screen('en', 'outbox')).toMatchInlineSnapshot(`
  [
    "UPLINK  LANE           CUT    ACKED  WAITING  OLDEST  KEPT FROM  DROPPED",
    "cloud   alarms          40       40        0       -          1        0",
    "cloud   events          40       40        0       -          1        0",
    "cloud   telemetry  182 310  182 286       24   2 min    170 000       54",
    "",
    "cloud: 24 batches waiting (21 600 samples, oldest 2 min)",
  ]
`))

test('read gives advice for what is bad', async () => {
  expect(await screen('zh', 'read', 'pump_1.running', 'meter_7.energy')).toMatchInlineSnapshot(`
    [
      "点              值  单位  质量                      时效  名称",
      "pump_1.running  是        正常                  400 毫秒  运行",
      "meter_7.energy   -  kWh   无效：线路或连接断开     65 秒  电能",
      "  → 线缆、转换器或串口服务器；是否有电？",
    ]
  `)
})

describe('history', () => {
  beforeAll(() => {
    rig.fake.history = Array.from({ length: 24 }, (_, hour) => {
      const mean = 0.3 + 0.05 * Math.sin(hour / 4)
      return [NOW - (24 - hour) * 3_600_000, mean - 0.01, mean + 0.01, mean, mean, 3600] as const
    })
  })

  test('table in the site’s time', async () => {
    const lines = await screen('en', 'history', 'pump_1.outlet_pressure', '--since', '24h', '--every', '1h')
    expect(lines.slice(0, 4)).toMatchInlineSnapshot(`
      [
        "pump_1.outlet_pressure MPa",
        "TIME                         MIN          MAX      MEAN         LAST  COUNT",
        "2023-11-14 06:13:20         0.29         0.31       0.3          0.3   3600",
        "2023-11-14 07:13:20  0.302370198  0.322370198   0.31237  0.312370198   3600",
      ]
    `)
    expect(lines).toHaveLength(26)
    expect(rig.fake.queries.at(-1)).toMatchObject({ from: NOW - 86_400_000, to: NOW, everyMs: 3_600_000 })
  })

  test('plot', async () => {
    const lines = await screen('zh', 'history', 'pump_1.outlet_pressure', '--every', '1h', '--plot')
    expect(lines).toHaveLength(15)
    expect(lines[0]).toBe('pump_1.outlet_pressure MPa')
    expect(lines[14]).toMatch(/2023-11-14 06:13:20 +2023-11-15 06:13:20$/)
    expect(lines.slice(1, 13).every((line) => line.includes('┤'))).toBe(true)
  })

  test('CSV in UTC', async () => {
    const { lines } = await runOn(['history', 'pump_1.outlet_pressure', '--csv', '-d', rig.data])
    expect(lines[0]).toBe('time,min,max,mean,last,count')
    expect(lines[1]).toMatch(/^2023-11-13T22:13:20\.000Z,0\.29,0\.31,0\.3,0\.3,3600$/)
  })
})

describe('names that would steer the terminal', () => {
  test('are shown, not sent', async () => {
    const evil = await openRig()
    const [first] = evil.fake.site.devices
    evil.fake.site = {
      ...evil.fake.site,
      devices: [{ ...first!, name: { en: '\u001b[2Jgone\n', zh: '\u202e' } }, ...evil.fake.site.devices.slice(1)],
    }
    for (const verb of [['devices'], ['devices', 'pump_1']]) {
      const { out } = await runOn([...verb, '-d', evil.data, '--lang', 'en'])
      expect(out).not.toContain('\u001b')
      expect(out).toContain('\\x1b[2Jg')
    }
    await evil.close()
  })
})

describe('a large and broken site still fits one screen', () => {
  test.each(['en', 'zh'] as const)('%s', async (language) => {
    const large = await openRig()
    const { site } = large.fake
    const [bus] = site.buses
    large.fake.site = {
      ...site,
      buses: Array.from({ length: 30 }, (_, index) => ({ ...bus!, index, id: `riser_with_a_long_name_${index}` })),
      uplinks: Array.from({ length: 5 }, (_, index) => ({ ...site.uplinks[0]!, id: `cloud_${index}` })),
    }
    const dead = large.fake.view.bus(1)
    large.fake.view.bus = () => dead
    large.fake.alarms = Array.from({ length: 40 }, (_, no) => ({ no, last: large.fake.alarms[0]!.last }))
    const { lines } = await runOn(['status', '-d', large.data, '--lang', language])
    expect(lines.length).toBeLessThanOrEqual(23)
    for (const line of lines) expect(width(line)).toBeLessThanOrEqual(80)
    await large.close()
  })
})

test('what holds batches back although the line stands is said with what to do', async () => {
  const held = await openRig()
  const down = held.fake.view.uplink('cloud')
  for (const [why, en, zh] of [
    ['budget', 'used up the budget', '流量预算'],
    ['undelivered', 'nobody to give it to', '无人订阅'],
  ] as const) {
    held.fake.view.uplink = () => ({ ...down, connected: true, reason: null, held: why })
    for (const verb of ['status', 'outbox']) {
      const english = await runOn([verb, '-d', held.data, '--lang', 'en'])
      expect(english.lines.join('\n')).toContain(en)
      expect((await runOn([verb, '-d', held.data, '--lang', 'zh'])).lines.join('\n')).toContain(zh)
      expect(english.lines.some((line) => line.includes('  → '))).toBe(true)
      for (const line of english.lines) expect(width(line), line).toBeLessThanOrEqual(80)
    }
    const { out } = await runOn(['status', '-d', held.data, '--json'])
    expect(JSON.parse(out)).toMatchObject({ uplinks: { cloud: { connected: true, held: why } } })
  }
  await held.close()
})

test('help fits into 80 columns, for every verb and in both languages', async () => {
  const { out } = await runOn(['help', '--lang', 'en'])
  const verbs = [...out.matchAll(/^ {2}([a-z]+) /gm)].map(([, verb = '']) => verb)
  expect(verbs).toContain('history')
  for (const language of ['en', 'zh'])
    for (const verb of ['', ...verbs]) {
      const { exit, lines } = await runOn(['help', ...(verb === '' ? [] : [verb]), '--lang', language])
      expect(exit).toBe(0)
      for (const line of lines) expect(width(line), line).toBeLessThanOrEqual(80)
    }
})
