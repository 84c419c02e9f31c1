"""An interrupted process ends in time, whatever it is doing."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time

import pytest

WORK = """
    import signal, sys, threading, time
    from storage.interrupts import on_interrupt, watch_interrupts

    def work():
        if "deaf" in sys.argv:  # a library that swallows what its thread raises
            signal.signal(signal.SIGINT, lambda *_: None)
            signal.signal(signal.SIGTERM, lambda *_: None)
        if "thread" in sys.argv:
            threading.Thread(target=time.sleep, args=(60,)).start()
        print("works", flush=True)
        time.sleep(60)

    with watch_interrupts(lambda seen: print("last words", flush=True), grace_seconds=1) as seen:
        try:
            with on_interrupt(lambda: print("called", flush=True)):
                work()
        except KeyboardInterrupt:
            print("unwound", flush=True)
    sys.exit(seen.exit_code)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("how", "said"),
    [("", {"unwound"}), ("deaf", {"called", "last words"}), ("thread", {"unwound", "last words"})],
    ids=["unwinds by itself", "deaf to signals", "leaves a thread"],
)
def test_the_process_ends_in_time_with_the_code_of_its_signal(number: signal.Signals, how: str, said: set[str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WORK), how], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "works\n"
        sent = time.monotonic()
        process.send_signal(number)
        printed, _ = process.communicate(timeout=10)
    assert time.monotonic() - sent < 3
    assert process.returncode == 128 + number
    heard = set(printed.split("\n")) - {""}
    # Code that unwinds at once may have left the block before the callback's turn comes.
    assert heard - {"called"} == said - {"called"} and heard >= said
