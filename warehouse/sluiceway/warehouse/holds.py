"""Named leases on a snapshot: who still reads at which LSN, and until when.

Invariants: a hold is a record of the log, so it survives restarts; time alone ends it, and an ended
hold is never revived (its rows may be gone), only replaced by a new one at the published LSN.
"""

from collections.abc import Mapping
from typing import Any

from sluiceway.catalog import GoneError, UserError
from sluiceway.warehouse.checkpoint import Hold

FORGOTTEN_AFTER_US = 86_400_000_000
TTL_MAX_MS = 7 * 86_400_000


def changed(
    holds: Mapping[str, Hold], name: str, lsn: int | None, ttl_ms: int | None, *,
    published: int, oldest: int, now_us: int,
) -> Hold | None:  # fmt: skip
    """The hold that a request makes or renews, or that it releases (no `ttl_ms`) if it is there.

    An error says why it cannot be had.
    """
    known = holds.get(name)
    if ttl_ms is None:
        return known
    if not name:
        raise UserError("a hold needs a name", sqlstate="42602")
    if not 0 < ttl_ms <= TTL_MAX_MS:
        raise UserError(f"ttl_ms {ttl_ms} of hold {name!r} is not between 1 and {TTL_MAX_MS}")
    if lsn is None:
        return Hold(name, published, now_us + ttl_ms * 1_000)
    if lsn > published:
        raise UserError(f"hold {name!r} asks for LSN {lsn}; published is {published}")
    if lsn < oldest:
        raise GoneError(f"hold {name!r} asks for LSN {lsn}; the oldest kept is {oldest}")
    if known is not None and known.lsn == lsn and known.expires_us <= now_us:
        raise _expired(known)
    return Hold(name, lsn, now_us + ttl_ms * 1_000)


def alive(holds: Mapping[str, Hold], name: str, now_us: int) -> Hold:
    """The hold of that name, or an error that says that it is not there or not any more."""
    hold = holds.get(name)
    if hold is None:
        raise GoneError(f"there is no hold {name!r}: take one first, or read without it")
    if hold.expires_us <= now_us:
        raise _expired(hold)
    return hold


def remembered(holds: Mapping[str, Hold], now_us: int) -> tuple[Hold, ...]:
    """The holds that a checkpoint keeps: expired ones only as long as someone may ask."""
    return tuple(h for h in holds.values() if h.expires_us + FORGOTTEN_AFTER_US > now_us)


def to_document(hold: Hold, *, released: bool) -> dict[str, Any]:
    """The JSON part of a HOLD record."""
    return {
        "name": hold.name, "lsn": hold.lsn, "expires_us": hold.expires_us, "released": released,
    }  # fmt: skip


def applied(holds: Mapping[str, Hold], document: Mapping[str, Any]) -> dict[str, Hold]:
    """The holds after a HOLD record."""
    name = str(document["name"])
    after = {key: hold for key, hold in holds.items() if key != name}
    if not document["released"]:
        after[name] = Hold(name, int(document["lsn"]), int(document["expires_us"]))
    return after


def _expired(hold: Hold) -> GoneError:
    return GoneError(
        f"hold {hold.name!r} at LSN {hold.lsn} has expired: take a new one and read again"
    )
