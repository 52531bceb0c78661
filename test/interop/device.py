"""A Modbus device by pymodbus (an independent stack), driven by JSON lines on standard input.

  device.py tcp PORT          units 1..10 on a TCP port
  device.py rtu PATH BAUD     unit 1 on a serial port
  device.py ascii PATH BAUD   the same as Modbus ASCII

  {"unit": 1, "table": "holding", "address": 0, "values": [1, 2]}   set registers or bits, answered by {"ok": true}
  {"get": {"unit": 1, "table": "holding", "address": 0, "count": 2}}   answered by {"ok": true, "values": [1, 2]}
  {"ramp": {"unit": 1, "table": "holding", "address": 0, "count": 100, "every": 1.0}}
        from now on register k holds (tick * 7 + k) % 60000; each tick is printed as {"tick": n, "at": ms} BEFORE it is set
"""
import asyncio
import json
import sys
import threading
import time

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.server import StartAsyncSerialServer, StartAsyncTcpServer

try:  # pymodbus 3.0 has the framers in a module of its own each
    from pymodbus.transaction import ModbusAsciiFramer, ModbusRtuFramer
except ImportError:
    from pymodbus.framer.ascii_framer import ModbusAsciiFramer
    from pymodbus.framer.rtu_framer import ModbusRtuFramer

IDENTITY = {0: "Gatehouse tests", 1: "PY-1", 2: "3.0", 4: "Device by pymodbus"}
FUNCTION = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}


def slave():
    def block():
        return ModbusSequentialDataBlock(0, [0] * 2000)

    return ModbusSlaveContext(di=block(), co=block(), hr=block(), ir=block(), zero_mode=True)


def say(what):
    print(json.dumps(what), flush=True)


def commands(context):
    ramps = []
    lock = threading.Lock()

    def run_ramps():
        tick = 0
        due = time.monotonic()
        while True:
            with lock:
                current = list(ramps)
            if current:
                tick += 1
                say({"tick": tick, "at": int(time.time() * 1000)})
                for ramp in current:
                    values = [(tick * 7 + k) % 60000 for k in range(ramp["count"])]
                    context[ramp["unit"]].setValues(FUNCTION[ramp["table"]], ramp["address"], values)
            due += current[0]["every"] if current else 0.05
            time.sleep(max(0.0, due - time.monotonic()))

    threading.Thread(target=run_ramps, daemon=True).start()
    for line in sys.stdin:
        order = json.loads(line)
        if "ramp" in order:
            with lock:
                ramps.append(order["ramp"])
        elif "get" in order:
            get = order["get"]
            values = context[get["unit"]].getValues(FUNCTION[get["table"]], get["address"], get["count"])
            say({"ok": True, "values": [int(value) for value in values]})
            continue
        else:
            context[order["unit"]].setValues(FUNCTION[order["table"]], order["address"], order["values"])
        say({"ok": True})


async def main():
    context = ModbusServerContext(slaves={unit: slave() for unit in range(1, 11)}, single=False)
    identity = ModbusDeviceIdentification(info=IDENTITY)
    threading.Thread(target=commands, args=(context,), daemon=True).start()
    if sys.argv[1] == "tcp":
        say({"listening": True})
        await StartAsyncTcpServer(context=context, identity=identity, address=("127.0.0.1", int(sys.argv[2])))
    else:
        framer = ModbusAsciiFramer if sys.argv[1] == "ascii" else ModbusRtuFramer
        say({"listening": True})
        await StartAsyncSerialServer(
            context=context, identity=identity, framer=framer, port=sys.argv[2], baudrate=int(sys.argv[3]), timeout=0.2
        )


asyncio.run(main())
