"""A warehouse read by another process than the one that writes it.

`replica.py` is what the server and tests use; `followed.py` knows what the log says, `watch.py`
wakes who waits for commits, `link.py` passes on to the writing process what only that may do.
"""

from sluiceway.warehouse.replica.replica import Replica

__all__ = ["Replica"]
