"""What Inspect finds through the `inspect_ai` entry point: the model provider and the behaviour task."""

from dokimasia.instruments.behaviour.task import behaviour
from dokimasia.models.provider import dokimasia

__all__ = ["behaviour", "dokimasia"]
