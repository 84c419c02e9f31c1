"""Local servers that speak Salesforce and telephony protocols for the simulated company.

What belongs here: the protocols, as the real services speak them, and starting and stopping the servers. What does not:
creating the company (`simulation.company`), what arrives as files (`simulation.delivery`), and any client: ours use
these servers just as they use the real ones.
"""

from simulation.servers.errors import ServerStartError
from simulation.servers.launch import Endpoints, start_servers

__all__ = ["Endpoints", "ServerStartError", "start_servers"]
