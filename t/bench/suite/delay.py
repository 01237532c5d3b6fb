"""delay.py - a TCP relay that is far away: delay.py PORT TARGET-PORT SECONDS.

SECONDS is a round trip: half of it each way, and a whole one before the first
octet, as a TCP connection is made. So a request on a connection that is kept
takes one round trip more than without, one on a new connection with TLS 1.3
three.
"""

import asyncio
import sys

PORT, TARGET = map(int, sys.argv[1:3])
WAY = float(sys.argv[3]) / 2


async def carry(reader, writer, earliest):
    """Each octet arrives WAY later; what follows meanwhile is not held up."""
    loop = asyncio.get_running_loop()
    under_way = asyncio.Queue()

    async def arrive():
        while True:
            due, data = await under_way.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                break
            writer.write(data)
        if writer.can_write_eof():
            writer.write_eof()

    arriving = asyncio.create_task(arrive())
    try:
        data = b"-"
        while data:
            try:
                data = await reader.read(65536)
            except ConnectionError:
                data = b""
            await under_way.put((max(loop.time(), earliest) + WAY, data))
        await arriving
    except (ConnectionError, OSError, RuntimeError):
        arriving.cancel()


async def relay(reader, writer):
    connected = asyncio.get_running_loop().time() + 2 * WAY
    try:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1",
                                                               TARGET)
    except OSError:
        writer.close()
        return
    await asyncio.gather(carry(reader, far_writer, connected),
                         carry(far_reader, writer, 0))
    for end in (writer, far_writer):
        end.close()


async def main():
    server = await asyncio.start_server(relay, "127.0.0.1", PORT, backlog=512)
    await server.serve_forever()


asyncio.run(main())
