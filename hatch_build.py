"""Refuse to build a wheel whose connector jars are missing or older than their sources."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ConnectorJars(BuildHookInterface[Any]):
    """Ask the connector's own build module; it alone knows what a fresh jar is."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Let editable installs through: developers build the jars when they need them."""
        if version == "editable":
            return
        build = Path(self.root) / "connector/sluiceway/connector/build.py"
        subprocess.run([sys.executable, str(build), "--check"], check=True)
