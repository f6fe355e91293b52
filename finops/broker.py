"""The embedded Celery broker: kombu's filesystem transport, made safe to read while written.

kombu opens a message file first and fills it afterwards, so that a reader can find it empty, and
takes a message by moving it to the system's temporary directory. Here a message appears whole,
under a name that sorts by time, and is taken by being removed: nothing piles up.
"""

from __future__ import annotations

import os
import time
import uuid
from queue import Empty
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):
    def _queue_bind(  # type: ignore[override]
        self, exchange: str, routing_key: str, pattern: str, queue: str
    ) -> None:
        """Write the table of bindings whole: kombu empties it first, and a message that is sent
        just then finds no queue and is lost."""
        bound = self.get_table(exchange)
        binding = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        if binding in bound:
            return
        self.control_folder.mkdir(exist_ok=True)
        path = self._exchange_file(exchange)  # type: ignore[attr-defined]
        partial = path.with_name(f"{path.name}.{uuid.uuid4()}")
        partial.write_text(dumps([binding, *bound]))
        partial.replace(path)

    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:  # type: ignore[override]
        name = f"{time.time_ns():020}_{uuid.uuid4()}"
        partial = os.path.join(self.data_folder_out, f"{name}.partial")
        with open(partial, "w") as file:
            file.write(dumps(payload))
        os.rename(partial, os.path.join(self.data_folder_out, f"{name}.{queue}.msg"))

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        for name in sorted(os.listdir(self.data_folder_in)):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            path = os.path.join(self.data_folder_in, name)
            try:
                with open(path) as file:
                    payload = file.read()
                os.unlink(path)
            except FileNotFoundError:
                continue  # another worker was faster
            return loads(payload)
        raise Empty


class Transport(filesystem.Transport):
    Channel = Channel
