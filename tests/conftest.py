"""Fixtures that every kind of test may use."""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# No test may depend on the settings, proxy or sources of the person who runs it.
KEPT = {"SALESOPS_REFERENCE_DATA", "SALESOPS_OLD_DUCKDB", "SALESOPS_CASES"}  # they say what lies on this machine
for name in [name for name in os.environ if name.startswith("SALESOPS_") and name not in KEPT]:
    del os.environ[name]
for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(name, None)
# Neither from a file: an empty one is found before any of theirs. What tests the search unsets the variable.
_found_first = Path(tempfile.mkdtemp(prefix="salesops-tests-"))
atexit.register(shutil.rmtree, _found_first, ignore_errors=True)
(_found_first / ".env").touch()
os.environ["SALESOPS_ENV_FILE"] = str(_found_first / ".env")
os.environ["XDG_CONFIG_HOME"] = str(_found_first / "config")
os.environ["GX_ANALYTICS_ENABLED"] = "false"
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"


# `make test` stays a matter of minutes; set CI=true to run these too.
minutes_long = pytest.mark.skipif(not os.environ.get("CI"), reason="takes minutes: runs in .ci/run (CI=true)")


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """Folder of data that nobody here wrote; the tests that need it skip where it is not set up, and fail where it is set up wrongly."""
    folder = os.environ.get("SALESOPS_REFERENCE_DATA")
    if not folder:
        pytest.skip("set SALESOPS_REFERENCE_DATA to the folder with the reference data")
    path = Path(folder).absolute()
    assert path.is_dir(), f"SALESOPS_REFERENCE_DATA names {path}, which is not a folder"
    return path


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this session share, for what is made once."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that one worker has at a time."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def parsed_dbt(shared_folder: Path) -> Path:
    """A home's dbt folder with the project parsed: once for all workers, since each new home would do it again for ten seconds."""
    from storage.home import Home
    from warehouse.manifest import prepare_manifest

    shared = Home(shared_folder / "parsed")
    with locked(shared_folder / "parsed.lock"):
        shared.dbt.mkdir(parents=True, exist_ok=True)
        prepare_manifest(shared)
    return shared.dbt
