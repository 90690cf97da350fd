"""`python -m sluiceway.warehouse.server --data DIR --port N`: serve one warehouse.

The same options as `sluiceway serve`, but without reading processes unless `--readers` says so.
"""

import argparse
import logging
import os
import sys
from pathlib import Path

from sluiceway.catalog import SERVER_OPTIONS, SluicewayError
from sluiceway.warehouse.options import ServerOptions, flag_of, variable_of
from sluiceway.warehouse.server.serve import refuse, serve, serve_reads


def main() -> int:
    """Parse the command line and serve until a signal comes."""
    parser = argparse.ArgumentParser(prog="python -m sluiceway.warehouse.server")
    for option in SERVER_OPTIONS:
        shown = "" if option.default is None else f" [{option.default}]"
        parser.add_argument(flag_of(option.key), help=f"{option.doc}{shown}".replace("%", "%%"))
    parser.add_argument("--config", type=Path, help="TOML file with options")
    parser.add_argument("--read-only", action="store_true", help="read what another one writes")
    parser.add_argument("--with-parent", action="store_true", help="end when stdin does")
    arguments = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        environment = {variable_of("readers"): "0"} | os.environ
        options = ServerOptions.gather(vars(arguments), environment, arguments.config)
    except SluicewayError as error:
        return refuse(error)
    if arguments.read_only:
        return serve_reads(options, with_parent=arguments.with_parent)
    return serve(options)


if __name__ == "__main__":
    sys.exit(main())
