"""Behaviour: what does the subject choose and say when an item gives it an opening to misbehave?"""

from dokimasia.instruments.behaviour.instrument import Behaviour
from dokimasia.instruments.behaviour.items import evaluation

__all__ = ["Behaviour", "evaluation"]
