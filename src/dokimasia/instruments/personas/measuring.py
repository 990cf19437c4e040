"""Carries out what needs the subject alone: the map, traits, conversations, what it says of itself."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from dokimasia.core import DataError, Subject
from dokimasia.core.rounding import counted
from dokimasia.instruments.common.parts import Parts
from dokimasia.instruments.personas.attractors import attractors
from dokimasia.instruments.personas.balanced import whole_rows
from dokimasia.instruments.personas.capping import cap_axis
from dokimasia.instruments.personas.conversing import Trajectories, converse, trajectories
from dokimasia.instruments.personas.leaving import leave
from dokimasia.instruments.personas.mapping import PersonaMap, draw_map
from dokimasia.instruments.personas.parts import ATTRACTORS, CAPPING, DRIFT, LEAVING, MAP, SELF_IMAGE, TRAITS
from dokimasia.instruments.personas.result import Result
from dokimasia.instruments.personas.self_image import SelfImage, describe_itself
from dokimasia.instruments.personas.speaking import DEFAULTS, Spoken, Voice, headline_layer, layers_of, speak
from dokimasia.instruments.personas.task import Task
from dokimasia.instruments.personas.traits import TraitVector, trait_vectors, trait_voices
from dokimasia.sources.personas import PersonaSet


def mapped(subject: Subject, task: Task, result: Result, parts: Parts) -> Result:
    """Roles and traits."""
    activations, personas = subject.activations, task.personas
    if activations is None or subject.text is None:
        parts.lack(MAP, "The subject shows no activations." if subject.text else "The subject writes no text.")
        return result
    layers, headline = layers_of(activations.n_layers), headline_layer(activations.n_layers)

    def say(voices: tuple[Voice, ...]) -> Spoken:
        spoken = speak(subject, voices, personas.questions, max_tokens=task.max_tokens, layers=layers, seed=task.seed)
        parts.failed += spoken.counts.get("failed", 0)
        return spoken

    spoken = parts.of(MAP, lambda: say(task.voices))
    if spoken is None:
        return result
    result = replace(result, spoken=spoken, headline=headline)
    drawn = parts.of(MAP, lambda: map_of(spoken, personas, headline, task.seed))
    if drawn is None:
        return result
    maps = {headline: drawn}
    for layer in layers:
        if layer != headline:
            found = parts.of(f"The map at layer {layer}", partial(map_of, spoken, personas, layer, task.seed))
            maps |= {layer: found} if found else {}
    result = replace(result, maps=tuple(maps[layer] for layer in sorted(maps)))
    if not personas.traits:
        parts.lack(TRAITS, "There are none in the set.")
        return result

    def place() -> tuple[tuple[TraitVector, ...], tuple[str, ...]]:
        return trait_vectors(
            personas.traits,
            say(trait_voices(personas.traits)),
            drawn,
            spoken.at(headline, drawn.roles),
            spoken.at(headline, [DEFAULTS[0].name])[0],
        )

    traits, lost = parts.of(TRAITS, place) or ((), ())
    if lost:
        parts.lack(f"{TRAITS}: {', '.join(lost)}", "Too few replies both towards it and away from it.")
    return replace(result, traits=traits)


def carried(subject: Subject, task: Task, result: Result, parts: Parts) -> Result:
    """Along conversations, out of roles, and back by capping."""
    drawn, personas = result.drawn, task.personas
    if drawn is None:
        for what in (TRAITS, DRIFT, ATTRACTORS, LEAVING, CAPPING):
            parts.lack(what, "There is no map to see it on.")
        return result

    def talk() -> Trajectories:
        talks = converse(subject, personas.scripts, turns=task.turns, max_tokens=task.max_tokens, seed=task.seed)
        parts.failed += talks.failed
        return trajectories(subject, talks, drawn.space, seed=task.seed)

    walks = parts.of(DRIFT, talk) if personas.scripts else None
    if not personas.scripts:
        parts.lack(DRIFT, "There are no scripts in the set.")
    result = replace(result, trajectories=walks)
    if walks is None:
        parts.lack(ATTRACTORS, "There are no conversations to see it by.")
    else:
        result = replace(result, attractors=parts.of(ATTRACTORS, lambda: attractors(walks, seed=task.seed)))
    left = parts.of(
        LEAVING,
        lambda: leave(
            subject,
            task.played,
            task.few,
            drawn.space,
            turns=task.stay,
            max_tokens=task.max_tokens,
            seed=task.seed,
            ways=dict(zip(drawn.roles, drawn.vectors - drawn.default_vectors[0], strict=True)),
        ),
    )
    parts.failed += left.failed if left else 0
    result = replace(result, leaving=left)
    steerable = subject.steerable
    if steerable is None or subject.logprobs is None:
        parts.lack(CAPPING, "The subject cannot be steered, or shows no log-probabilities.")
        return result
    spoken = result.spoken
    assert spoken is not None
    defaults = spoken.at(drawn.space.layer, [voice.name for voice in DEFAULTS]).reshape(-1, len(drawn.space.axis))
    spaces = [drawn.space, *([result.higher.space] if result.higher else [])]
    capping = parts.of(
        CAPPING,
        lambda: cap_axis(
            subject,
            steerable,
            spaces,
            defaults[whole_rows(defaults)],
            spoken.conversations[: len(personas.questions)],
            task.played_voices,
            task.few,
            task.facts,
            max_tokens=task.max_tokens,
            randoms=task.randoms,
            seed=task.seed,
        ),
    )
    return replace(result, capping=capping)


def itself(subject: Subject, task: Task, result: Result, parts: Parts) -> Result:
    """What it says of itself."""
    questions = task.personas.self_questions
    if not questions:
        parts.lack(SELF_IMAGE, "There are no questions about it in the set.")
        return result

    def describe() -> SelfImage:
        found = describe_itself(subject, questions, task.played, seed=task.seed)
        parts.failed += found.failed
        if not np.isfinite(found.leanings).any():
            raise DataError(
                "Answers that choose one of two sentences, in both orders, are expected.",
                f"Found none to {counted(len(questions), 'question')}.",
                "Look at what it replies.",
            )
        return found

    return replace(result, self_image=parts.of(SELF_IMAGE, describe))


def map_of(spoken: Spoken, personas: PersonaSet, layer: int, seed: int) -> PersonaMap:
    """The map at one of the layers that were read."""
    names, defaults = [role.name for role in personas.roles], [voice.name for voice in DEFAULTS]
    n = len(spoken.questions)
    return draw_map(
        spoken.at(layer, names),
        spoken.at(layer, defaults),
        names=names,
        default_names=defaults,
        faults=[spoken.faults[row * n : (row + 1) * n] for row in map(spoken.voices.index, names)],
        layer=layer,
        seed=seed,
    )
