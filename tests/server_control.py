"""The servers' control, under the name that tests import it by."""

from __future__ import annotations

from simulation.servers.remote_control import ServerControl as ServerControl
