"""The Flight server of a warehouse."""

from sluiceway.warehouse.server.flight import FlightServer
from sluiceway.warehouse.server.serve import serve, serve_reads

__all__ = ["FlightServer", "serve", "serve_reads"]
