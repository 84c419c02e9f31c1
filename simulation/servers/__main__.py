"""The process that `launch.start_servers` starts: `--simulation-dir DIR --endpoints-file FILE [--parent-pid PID]`."""

from __future__ import annotations

from simulation.servers.process import make_apps, serve

if __name__ == "__main__":
    serve(make_apps)
