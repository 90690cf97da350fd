"""Fixtures come as plug-ins by subject: each module of `kit` owns its own."""

import importlib.util

_SUBJECTS = ("kit.disk", "kit.server", "kit.flink", "kit.mariadb")

pytest_plugins = [name for name in _SUBJECTS if importlib.util.find_spec(name)]
