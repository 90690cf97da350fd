"""`python -m sluiceway.warehouse.server --data DIR --port N`: serve one warehouse."""

import argparse
import logging
import sys
from pathlib import Path

from sluiceway.warehouse.options import ServerOptions, parse_bytes
from sluiceway.warehouse.server.serve import serve, serve_reads


def main() -> int:
    """Parse the command line and serve until a signal comes."""
    parser = argparse.ArgumentParser(prog="python -m sluiceway.warehouse.server")
    parser.add_argument("--data", type=Path, required=True, help="folder of the warehouse")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="0 = the port of last time, or any")
    parser.add_argument("--memory", type=parse_bytes, default=0, help="such as 4GB; 0 = 60 percent")
    parser.add_argument("--readers", type=int, default=0, help="reading processes beside this one")
    parser.add_argument("--read-only", action="store_true", help="read what another one writes")
    parser.add_argument("--with-parent", action="store_true", help="end when stdin does")
    arguments = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    options = ServerOptions(
        data=arguments.data,
        host=arguments.host,
        port=arguments.port,
        memory=arguments.memory,
    )
    if arguments.read_only:
        return serve_reads(options, with_parent=arguments.with_parent)
    return serve(options, arguments.readers)


if __name__ == "__main__":
    sys.exit(main())
