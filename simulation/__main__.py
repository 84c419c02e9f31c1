"""Create and deliver the company at its clock: `python -m simulation --simulation-dir D --size small --seed 7`.

It runs in its own process, so that its parent can use the other core meanwhile.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from pathlib import Path

from simulation.company import create_company
from simulation.delivery import deliver
from storage.errors import SalesopsError

_PARENT_CHECK_SECONDS = 0.5


def main() -> None:
    """Create and deliver; a second call changes nothing."""
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("--simulation-dir", type=Path, required=True)
    parser.add_argument("--size", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--parent-pid", type=int, help="stop when this process is no longer the parent")
    arguments = parser.parse_args()
    if arguments.parent_pid:
        threading.Thread(target=_end_with_parent, args=(arguments.parent_pid,), daemon=True).start()
    try:
        company = create_company(arguments.simulation_dir, arguments.size, arguments.seed)
        deliver(arguments.simulation_dir, company.now)
    except SalesopsError as error:
        sys.exit(str(error))


def _end_with_parent(parent_pid: int) -> None:
    while os.getppid() == parent_pid:
        time.sleep(_PARENT_CHECK_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
