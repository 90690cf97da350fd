"""The Python client of a warehouse server."""

from sluiceway.warehouse.client.client import Client
from sluiceway.warehouse.client.lookups import Lookups
from sluiceway.warehouse.client.moments import microseconds
from sluiceway.warehouse.client.stage import Stage
from sluiceway.warehouse.client.streams import ChangeBatch, Changes, Chunk, Chunks
from sluiceway.warehouse.client.transaction import Transaction
from sluiceway.warehouse.client.writer import Ack, Writer

__all__ = [
    "Ack",
    "ChangeBatch",
    "Changes",
    "Chunk",
    "Chunks",
    "Client",
    "Lookups",
    "Stage",
    "Transaction",
    "Writer",
    "microseconds",
]
