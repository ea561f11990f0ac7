"""``await point``: the event loop watches a file descriptor, so nothing is polled and no thread of the loop is blocked."""

from __future__ import annotations

import asyncio

from . import _native


async def wait_for(point: _native.Point) -> None:
    """Returns when the point is reached; raises the error with which its work failed."""
    if point.reached:
        point.wait(0)  # what the card has written to shared memory comes with a wait
        return
    loop = asyncio.get_running_loop()
    waiter = _native.Waiter(point)
    ended: asyncio.Future[None] = loop.create_future()

    def end() -> None:
        if not ended.done():
            ended.set_result(None)

    loop.add_reader(waiter.fileno(), end)
    try:
        await ended
    finally:
        loop.remove_reader(waiter.fileno())
        waiter.close()
    point.wait(0)
