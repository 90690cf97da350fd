"""What people run: the command line, the SQL runner, the session cluster, the sync, the demo."""

from sluiceway.jobs.connect import Environment, connect

__all__ = ["Environment", "connect"]
