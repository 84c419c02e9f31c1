"""Servers and runtimes that a test needs and that Python packages do not bring."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/sbin")  # not on everybody's PATH


def require_program(name: str, *, package: str) -> Path:
    """Path of a program. Where it is not installed the test skips and says what to install; in CI, where it has to be, it fails.

    Args:
        name: The program, `dovecot`.
        package: The Debian package that brings it, `dovecot-imapd`.
    """
    folders = os.pathsep.join([os.environ.get("PATH", os.defpath), *SYSTEM_FOLDERS])
    found = shutil.which(name, path=folders)
    if found:
        return Path(found)
    hint = f"{name} is not installed: apt-get install {package}"
    if os.environ.get("CI"):
        pytest.fail(f"{hint} (in CI a missing server is a failure)")
    pytest.skip(hint)
