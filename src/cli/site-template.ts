/**
 * The first site file: what every site needs, and the rest as comments to be uncommented. Lines that begin with `#: ` are parts that
 * hold together: without that mark all of them make a whole site, which a test checks. In the file they begin with `# `.
 */
import type { Language } from '../model/site.ts'

const ZH = `# 本站配置。改好后：gatehouse check（检查），gatehouse run -d 数据目录（运行），gatehouse reload（运行中生效）。
# 所有带默认值的项都可以不写；各项的默认值和理由见 config/site.schema.json，完整示例见 config/site.example.yaml。
site:
  id: SITE_ID                          # 小写字母、数字、_；规则和主题用它，定下后不要改
  name: {zh: 本小区, en: This community}
  timezone: Asia/Shanghai
language: zh                           # 命令行语言；--lang 和 LANG 优先

# 总线：一条线一个主站。串口用固定路径（gatehouse ports 列出），不要用 /dev/ttyUSB0。
# 还不知道线上有什么：gatehouse scan /dev/serial/by-path/… --yaml，或 gatehouse scan modbus-tcp://10.1.1.20 --yaml
buses: {}
#: buses:
#:   pump_room: {wire: "modbus-tcp://10.1.1.20"}
#:   riser_b3: {wire: "/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0", line: 9600 8N1}
#:   meters_b5: {wire: "tcp://10.1.1.30:4196", line: 2400 8E1}   # 透明串口服务器：line 是它自身的设置

# 设备：driver 是设备库中的型号（gatehouse drivers），address 是地址（电表、水表为加引号的表号，前导零有意义）。
devices: {}
#: devices:
#:   pump_1: {driver: pump/abb_acs580, bus: pump_room, address: 1, name: {zh: 1号生活泵}, place: {building: B3, floor: B1, room: 泵房}}
#:   io_1: {driver: io/waveshare_relay_8ch, bus: riser_b3, address: 8}
#:   air_1: {driver: environment/xy_md02, bus: riser_b3, address: 3, place: {building: B3, floor: B1}}
#:   meter_1: {driver: meter/eastron_sdm630, bus: riser_b3, address: 5}
#:   lift_1:                             # 由其他设备的点组成
#:     driver: elevator/dry_contacts
#:     inputs: {running: io_1.di_1, fault: {from: io_1.di_2, invert: true, debounce: 200ms}}
#:   lobby_air: {driver: environment/zigbee2mqtt_climate, topic: zigbee2mqtt/lobby}   # 主动上报的设备

# 告警：每种设备自带标准告警，这里只写涉及多台设备或本站特有的。
#: alarms:
#:   air_too_warm:
#:     when: air_1.temperature > 35
#:     onDelay: 5m
#:     priority: medium
#:     text: {zh: 泵房温度过高, en: Pump room too warm}
#:     advice: {zh: 检查泵房通风, en: Check the ventilation of the pump room}
#:     do: [{write: io_1.relay_1, value: true, onClear: false}]

# 本地 MQTT 代理，供 zigbee2mqtt、Tasmota 等设备接入。口令：gatehouse secret set zigbee
#: broker:
#:   listen: ["mqtt://127.0.0.1:1883"]
#:   clients:
#:     zigbee: {password: {secret: zigbee}, publish: ["zigbee2mqtt/#"], subscribe: ["zigbee2mqtt/+/set"]}

# 云端。没有也能独立运行；断网期间数据保存在本机。口令：gatehouse secret set cloud
#: uplinks:
#:   cloud:
#:     tenant: demo
#:     servers: ["mqtts://cloud.example:8883"]
#:     username: SITE_ID
#:     password: {secret: cloud}
#:     # 云端要求客户端证书时：init 已生成私钥 secrets/gw_key，用它申请证书：
#:     # openssl req -new -key secrets/gw_key -subj /CN=SITE_ID -out gw.csr
#:     # tls: {ca: ca.pem, cert: gw.pem, key: {secret: gw_key}}
`

const EN = `# This site. When changed: gatehouse check (is it sound), gatehouse run -d DIR (run it), gatehouse reload (into the running one).
# Whatever has a default may be left out; config/site.schema.json gives each default and its reason, config/site.example.yaml a whole site.
site:
  id: SITE_ID                          # lower-case letters, digits, _; rules and topics use it: do not change it later
  name: {en: This community, zh: 本小区}
  timezone: Asia/Shanghai
language: en                           # of the command line; --lang and LANG come first

# Buses: one wire, one master. Serial ports by their stable path (gatehouse ports lists them), not /dev/ttyUSB0.
# Not known what is there: gatehouse scan /dev/serial/by-path/… --yaml, or gatehouse scan modbus-tcp://10.1.1.20 --yaml
buses: {}
#: buses:
#:   pump_room: {wire: "modbus-tcp://10.1.1.20"}
#:   riser_b3: {wire: "/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0", line: 9600 8N1}
#:   meters_b5: {wire: "tcp://10.1.1.30:4196", line: 2400 8E1}   # transparent serial server: line is its own setting

# Devices: driver is a model of the library (gatehouse drivers), address its address (meters: the quoted number, leading zeros count).
devices: {}
#: devices:
#:   pump_1: {driver: pump/abb_acs580, bus: pump_room, address: 1, name: {en: Domestic pump 1}, place: {building: B3, floor: B1, room: pump room}}
#:   io_1: {driver: io/waveshare_relay_8ch, bus: riser_b3, address: 8}
#:   air_1: {driver: environment/xy_md02, bus: riser_b3, address: 3, place: {building: B3, floor: B1}}
#:   meter_1: {driver: meter/eastron_sdm630, bus: riser_b3, address: 5}
#:   lift_1:                             # made of other devices' points
#:     driver: elevator/dry_contacts
#:     inputs: {running: io_1.di_1, fault: {from: io_1.di_2, invert: true, debounce: 200ms}}
#:   lobby_air: {driver: environment/zigbee2mqtt_climate, topic: zigbee2mqtt/lobby}   # devices that publish

# Alarms: every model brings its own; here only what concerns several devices, or this site alone.
#: alarms:
#:   air_too_warm:
#:     when: air_1.temperature > 35
#:     onDelay: 5m
#:     priority: medium
#:     text: {en: Pump room too warm, zh: 泵房温度过高}
#:     advice: {en: Check the ventilation of the pump room, zh: 检查泵房通风}
#:     do: [{write: io_1.relay_1, value: true, onClear: false}]

# The local MQTT broker, for zigbee2mqtt, Tasmota and the like. Its password: gatehouse secret set zigbee
#: broker:
#:   listen: ["mqtt://127.0.0.1:1883"]
#:   clients:
#:     zigbee: {password: {secret: zigbee}, publish: ["zigbee2mqtt/#"], subscribe: ["zigbee2mqtt/+/set"]}

# The cloud. The site works without one; while it is away data is kept here. Its password: gatehouse secret set cloud
#: uplinks:
#:   cloud:
#:     tenant: demo
#:     servers: ["mqtts://cloud.example:8883"]
#:     username: SITE_ID
#:     password: {secret: cloud}
#:     # Where the cloud wants a certificate: init made the private key secrets/gw_key; ask for its certificate with
#:     # openssl req -new -key secrets/gw_key -subj /CN=SITE_ID -out gw.csr
#:     # tls: {ca: ca.pem, cert: gw.pem, key: {secret: gw_key}}
`

const TEMPLATES: Readonly<Record<Language, string>> = { zh: ZH, en: EN }

/** The file as it is written. */
export function siteTemplate(language: Language, id: string): string {
  return TEMPLATES[language].replaceAll('SITE_ID', id).replaceAll(/^#: /gm, '# ')
}

/** With everything uncommented and the empty maps gone: what a user who takes it all would have. */
export function wholeTemplate(language: Language, id: string): string {
  return TEMPLATES[language]
    .replaceAll('SITE_ID', id)
    .replaceAll(/^(buses|devices): \{\}\n/gm, '')
    .replaceAll(/^#: /gm, '')
}
