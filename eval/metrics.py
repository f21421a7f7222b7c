"""All metrics: importing this module fills the register.

A new metric is one decorated function in a `metrics_*` module; new modules
are found by themselves. Headlines come first, else the order is that of the
modules.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from eval.registry import METRICS, Metric, score_outcome

for _module in sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])):
    if _module.startswith("metrics_"):
        importlib.import_module(f"eval.{_module}")

for _name in sorted(METRICS, key=lambda name: METRICS[name].headline or len(METRICS)):
    METRICS[_name] = METRICS.pop(_name)

__all__ = ["METRICS", "Metric", "score_outcome"]
