"""Clients that come again and again: `python -m bench.paced_clients PORT PATH CLIENTS SECONDS`.

Each makes a connection, fetches a small file, closes, and waits until `PACE` seconds after its last beginning; their
beginnings are spread over that time. So the load does not depend on how fast the server is, and the time that a
handshake takes (from the TCP connect to the end of the TLS handshake) is that of a server with room to breathe. The
times are printed in seconds as a JSON list; anything that fails ends the run.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from bench.http_load import HOST, LIMIT, trusting_context

PACE = 4.0


async def main() -> None:
    """Run all clients, and print the times."""
    port, path, clients, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    context = trusting_context()
    request = f"GET {path} HTTP/1.0\r\n\r\n".encode()
    taken: list[float] = []
    end = time.perf_counter() + seconds

    async def visit() -> None:
        start = time.perf_counter()
        reader, writer = await asyncio.open_connection(HOST, int(port), ssl=context)
        taken.append(time.perf_counter() - start)
        writer.write(request)
        answer = await reader.read()
        if not answer.startswith(b"HTTP/1.0 200"):
            raise RuntimeError(f"not the answer that was wanted: {answer[:200]!r}")
        writer.close()

    async def come_again(number: int) -> None:
        due = time.perf_counter() + number * PACE / clients
        while due < end:
            await asyncio.sleep(due - time.perf_counter())
            await asyncio.wait_for(visit(), LIMIT)
            due = max(due + PACE, time.perf_counter())

    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(come_again(number))
    print(json.dumps([round(each, 6) for each in taken]))


if __name__ == "__main__":
    asyncio.run(main())
