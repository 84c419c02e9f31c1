"""End this process in time when it is interrupted: by Ctrl-C, SIGTERM, or a cancelled run.

The first signal starts a countdown. Code that can unwind does so; code that cannot (a dbt thread in a long query, a
server that will not stop) ends with the process when the countdown does. Half-done work is then left as after a kill,
and the next run repairs it.
Signals are read from the wake-up descriptor, so it does not matter which handlers a library installs meanwhile.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from storage.locks import hold_until_exit

# Everything must be over within five seconds of the signal.
GRACE_SECONDS = 4.0
_ENDING = {signal.SIGINT, signal.SIGTERM}


@dataclass
class Interrupts:
    """What has been received so far.

    Attributes:
        received: The first signal that ends the process; None until it arrives.
        callbacks: Called once, in a thread, when it arrives.
    """

    received: signal.Signals | None = None
    callbacks: list[Callable[[], None]] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """128 plus the signal's number, as in shells: 130 after Ctrl-C, 143 after SIGTERM."""
        return 128 + (self.received or 0)


_watching: Interrupts | None = None


@contextmanager
def watch_interrupts(
    last_words: Callable[[Interrupts], None], grace_seconds: float = GRACE_SECONDS
) -> Iterator[Interrupts]:
    """Watch for SIGINT and SIGTERM while the block runs; end the process if it outlives a signal by `grace_seconds`.

    The countdown continues after the block. Only for the main thread of a process that is to end when it is
    interrupted.

    Args:
        last_words: Called before the process is ended like this.
        grace_seconds: How long code may take to unwind by itself.
    """
    global _watching
    seen = Interrupts()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    is_ours = signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    if is_ours:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    follower = threading.Thread(
        target=_follow, args=(reading, seen, last_words, grace_seconds), name="interrupts", daemon=True
    )
    follower.start()
    _watching = seen
    try:
        yield seen
    finally:
        _watching = None
        signal.set_wakeup_fd(before)
        if is_ours and seen.received is None:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.close(writing)
        follower.join(grace_seconds)  # so that a signal that ended the block has been noted


@contextmanager
def on_interrupt(callback: Callable[[], None]) -> Iterator[None]:
    """Call `callback` in a thread as soon as the process is interrupted in the block; no effect if nobody watches."""
    watching = _watching
    if watching is None:
        yield
        return
    watching.callbacks.append(callback)
    try:
        yield
    finally:
        watching.callbacks.remove(callback)


def interrupt_this_process() -> None:
    """Do what Ctrl-C does, from any thread; no effect if nobody watches for it."""
    if _watching is not None:
        os.kill(os.getpid(), signal.SIGINT)


def _follow(reading: int, seen: Interrupts, last_words: Callable[[Interrupts], None], grace_seconds: float) -> None:
    while number := os.read(reading, 1):
        if number[0] in _ENDING and seen.received is None:
            seen.received = signal.Signals(number[0])
            hold_until_exit()
            ending = threading.Timer(grace_seconds, _end, args=(seen, last_words))
            ending.daemon = True
            ending.start()
            for callback in list(seen.callbacks):
                with suppress(Exception):  # marking the run is a courtesy; ending in time is not
                    callback()
    os.close(reading)


def _end(seen: Interrupts, last_words: Callable[[Interrupts], None]) -> None:
    with suppress(Exception):
        last_words(seen)
    os._exit(seen.exit_code)
