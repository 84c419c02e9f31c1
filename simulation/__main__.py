"""Make the company and deliver what has reached it by its clock: `python -m simulation --simulation-dir D --size small --seed 7`.

A process of its own, so that whoever starts it can do other work on the other core meanwhile.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from simulation.company import create_company
from simulation.delivery import deliver
from storage.errors import SalesopsError


def main() -> None:
    """Doing it again changes nothing."""
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("--simulation-dir", type=Path, required=True)
    parser.add_argument("--size", required=True)
    parser.add_argument("--seed", type=int, required=True)
    arguments = parser.parse_args()
    try:
        company = create_company(arguments.simulation_dir, arguments.size, arguments.seed)
        deliver(arguments.simulation_dir, company.now)
    except SalesopsError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
