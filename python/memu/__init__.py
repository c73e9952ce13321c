"""Long-term memory for AI agents that lives in one file.

``MemoryService`` is memU's API on MemU's Rust core; see ``memu.app`` for its configuration and
``memu.errors`` for what it raises.
"""

from memu._memu import __version__
from memu.app.service import MemoryService

MemUService = MemoryService

__all__ = ["MemUService", "MemoryService", "__version__"]
