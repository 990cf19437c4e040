"""Realism: how far does a clean evaluation speak for this deployment, given how well the two can be told apart?"""

from dokimasia.instruments.realism.instrument import Realism

__all__ = ["Realism"]
