"""Packages that local weights need, checked before they are imported."""

from __future__ import annotations

import importlib.util
import os

from dokimasia.core import MissingExtra


def need_transformers() -> None:
    """Raise unless torch and transformers are installed; keeps transformers off the network and quiet."""
    missing = [
        name for name in ("torch", "transformers", "gguf", "accelerate") if importlib.util.find_spec(name) is None
    ]
    if missing:
        raise MissingExtra(
            "Local weights need torch, transformers, gguf and accelerate.",
            f"Not installed: {', '.join(missing)}.",
            "Install them: pip install 'dokimasia[local]'",
        )
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TQDM_DISABLE", "1")
    from transformers.utils import logging

    logging.disable_progress_bar()
