"""What the persona instrument will ask for."""

from __future__ import annotations

from dokimasia.core import Cost, Subject, approximate_tokens
from dokimasia.instruments.personas.attribution import planned_attribution
from dokimasia.instruments.personas.capping import planned_capping
from dokimasia.instruments.personas.conversing import planned_conversing, planned_trajectories
from dokimasia.instruments.personas.leaving import planned_leaving
from dokimasia.instruments.personas.self_image import planned_self_image
from dokimasia.instruments.personas.speaking import DEFAULTS, planned_reading, planned_speaking
from dokimasia.instruments.personas.task import Task
from dokimasia.instruments.personas.traits import trait_voices


def planned(subject: Subject, task: Task) -> Cost:
    """All parts together, of a subject that answers everything."""
    personas, new = task.personas, task.max_tokens
    cost = _planned_base(subject, task)
    if personas.self_questions and (subject.logprobs is not None or subject.text is not None):
        cost += planned_self_image(subject, personas.self_questions, task.played)
    if subject.activations is None or subject.text is None:
        return cost
    for voices in (task.voices, trait_voices(personas.traits)):
        cost += planned_speaking(subject, voices, personas.questions, max_tokens=new)
    if personas.scripts:
        cost += planned_conversing(subject, personas.scripts, turns=task.turns, max_tokens=new)
        cost += planned_trajectories(subject, personas.scripts, turns=task.turns, max_tokens=new)
    if not task.played or len(task.few) < 2:
        return cost
    cost += planned_leaving(subject, task.played, task.few, turns=task.stay, max_tokens=new)
    if subject.steerable is not None and subject.logprobs is not None:
        cost += planned_capping(
            subject,
            len(personas.questions),
            task.played_voices,
            task.few,
            task.facts,
            max_tokens=new,
            randoms=task.randoms,
        )
    return cost


def _planned_base(subject: Subject, task: Task) -> Cost:
    base, questions = task.base, task.personas.questions
    if base is None or base.text is None or subject.text is None:
        return Cost()
    voices, default, new = task.voices, DEFAULTS[:1], task.max_tokens
    cost = Cost() if base.logprobs is None else planned_attribution(base, voices, questions, max_tokens=new)
    if subject.activations is None:
        cost += planned_speaking(subject, default, questions, max_tokens=new)
    if base.activations is None:
        return cost + planned_speaking(base, default, questions, max_tokens=new)
    cost += planned_speaking(base, voices, questions, max_tokens=new)
    voices = default if subject.activations is None else voices
    n = len(voices) * len(questions)
    tokens = len(voices) * approximate_tokens(questions, overhead=80) + n * task.max_tokens
    return cost + planned_reading(base, n, tokens)
