"""Local servers that speak Salesforce and telephony over the simulated company.

What belongs here: the protocols, as the real services speak them, and starting and stopping the servers. What does not: making the
company (`simulation.company`), what comes as files (`simulation.delivery`), and any client: ours reach these servers as they would
reach the real ones.
"""

from simulation.servers.errors import ServerStartError
from simulation.servers.launch import Endpoints, start_servers

__all__ = ["Endpoints", "ServerStartError", "start_servers"]
