"""Where a file of the log ends for those behind it.

A record that was half written when its process died stays at the end of its file. The next process
goes on in a new file, with the LSNs that the torn record has, too; and the head of that one may be
intact. So what a file holds beyond the LSN that the next file follows is no part of the log.
"""

from sluiceway.catalog import CorruptionError
from sluiceway.warehouse.header import HEADER_BYTES
from sluiceway.warehouse.log.files import LogFiles
from sluiceway.warehouse.log.format import RECORD_HEADER_BYTES, decode_record_header

OPEN_END = 2**63 - 1


def end_of(files: LogFiles, file: int) -> int:
    """The commit LSN at which a file ends, `OPEN_END` while no later file has a record."""
    for later in files.numbers():
        if later > file:
            try:
                head = files.handle(later).pread(HEADER_BYTES, RECORD_HEADER_BYTES)
                return decode_record_header(head).durable_through
            except CorruptionError:
                continue
    return OPEN_END
