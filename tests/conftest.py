"""Fixtures come as plug-ins by subject: each module of `kit` owns its own."""

import importlib.util

from hypothesis import HealthCheck, settings

_SUBJECTS = ("kit.disk", "kit.server", "kit.flink", "kit.mariadb", "kit.sync")

pytest_plugins = [name for name in _SUBJECTS if importlib.util.find_spec(name)]

# How long an example takes depends on what else the machine does: tests assert results, not times.
settings.register_profile("sluiceway", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("sluiceway")
