"""The local servers with faults: what they hold and what goes wrong is up to the test or the benchmark that started them.

What belongs here: faults, changes of records and fields, and the routes and client by which they are asked for. What does not: the protocols
(`simulation.servers`), which these servers wrap and which know nothing of them.
"""

from tests.support.fault_servers.control_client import ServerControl, ServerRefused
from tests.support.fault_servers.launch import start_fault_servers

__all__ = ["ServerControl", "ServerRefused", "start_fault_servers"]
