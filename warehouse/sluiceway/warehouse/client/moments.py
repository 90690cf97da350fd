"""Times as users write them, as the wire has them: µs since 1970 UTC."""

from datetime import UTC, datetime, timedelta

from sluiceway.catalog import UserError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime | str) -> int:
    """Return the time in µs since 1970 UTC; a text is ISO 8601, and without zone it is UTC."""
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            raise UserError(
                f"{moment!r} is no time: write 2026-01-31 12:00:00, and a zone as +02:00",
                sqlstate="22007",
            ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)
