"""What made a finding: versions of everything that could change it."""

from __future__ import annotations

import platform
from importlib import metadata

PACKAGES = (
    "dokimasia",
    "numpy",
    "scipy",
    "scikit-learn",
    "torch",
    "transformers",
    "tokenizers",
    "inspect_ai",
    "datasketch",
)


def versions() -> dict[str, str]:
    """Versions of Python and of the installed packages that measure."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
