"""Carries out what needs a base model, too: the slant of all voices, who the default voice has become, whose words it speaks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dokimasia.core import DataError, Subject
from dokimasia.instruments.common.parts import Parts
from dokimasia.instruments.personas.attribution import attributed
from dokimasia.instruments.personas.mapping import PersonaMap
from dokimasia.instruments.personas.measuring import map_of
from dokimasia.instruments.personas.parts import ATTRIBUTION, BECOME, SLANT
from dokimasia.instruments.personas.result import Result
from dokimasia.instruments.personas.slant import Become, Slant, become, slant
from dokimasia.instruments.personas.speaking import DEFAULTS, Spoken, headline_layer, layers_of, read, speak
from dokimasia.instruments.personas.task import Task
from dokimasia.instruments.personas.traits import TraitVector

DEFAULT = DEFAULTS[0]


def compared(subject: Subject, task: Task, result: Result, parts: Parts) -> Result:
    """Against the base model."""
    base = task.base
    if base is None:
        for what in (SLANT, BECOME, ATTRIBUTION):
            parts.lack(what, "No base model was given.")
        return result
    if base.activations is None or base.text is None or subject.text is None:
        for what in (SLANT, BECOME, ATTRIBUTION):
            parts.lack(what, "The subject, or the base model, writes no text, or the latter shows no activations.")
        return result
    personas = task.personas
    layers, headline = layers_of(base.activations.n_layers), headline_layer(base.activations.n_layers)

    def default_replies() -> Spoken:
        """Of a subject that shows no activations."""
        spoken = speak(
            subject, [DEFAULT], personas.questions, max_tokens=task.max_tokens, layers=layers, seed=task.seed
        )
        parts.failed += spoken.counts.get("failed", 0)
        return spoken

    own = parts.of(
        BECOME,
        lambda: speak(base, task.voices, personas.questions, max_tokens=task.max_tokens, layers=layers, seed=task.seed),
    )
    spoken = result.spoken or parts.of(BECOME, default_replies)
    if spoken is None:
        parts.lack(ATTRIBUTION, "There are no replies of the default voice.")
        return result
    result = replace(
        result,
        attribution=parts.of(ATTRIBUTION, lambda: attributed(base, task.voices, spoken, DEFAULT.name, seed=task.seed)),
    )
    reread = parts.of(SLANT, lambda: _reread(base, spoken, layers))
    if reread is None:
        return result
    if own is not None:
        base_map = parts.of(BECOME, lambda: map_of(own, personas, headline, task.seed))
        if base_map is not None:
            result = replace(
                result,
                base_map=base_map,
                become=parts.of(BECOME, lambda: _become(own, reread, base_map, task.seed)),
            )
    drawn = result.drawn
    if drawn is None:
        parts.lack(SLANT, "There is no map of the subject.")
        return result
    return replace(result, slant=parts.of(SLANT, lambda: _slant(subject, base, spoken, reread, drawn, result.traits)))


def _reread(base: Subject, spoken: Spoken, layers: tuple[int, ...]) -> Spoken:
    """The subject's replies as the base model reads them; those with a fault stay left out."""
    values = read(base, spoken.conversations, layers)
    values[[bool(fault) for fault in spoken.faults]] = np.nan
    shape = (len(spoken.voices), len(spoken.questions), len(layers), -1)
    return replace(spoken, layers=layers, values=values.reshape(shape))


def _become(own: Spoken, reread: Spoken, base_map: PersonaMap, seed: int) -> Become:
    layer = base_map.space.layer
    return become(reread.at(layer, [DEFAULT.name])[0], own.at(layer, [DEFAULT.name])[0], base_map, seed=seed)


def _slant(
    subject: Subject,
    base: Subject,
    spoken: Spoken,
    reread: Spoken,
    drawn: PersonaMap,
    traits: tuple[TraitVector, ...],
) -> Slant:
    assert subject.activations is not None
    assert base.activations is not None
    depths = subject.activations.n_layers, base.activations.n_layers
    widths = [0 if one.values is None else one.values.shape[3] for one in (spoken, reread)]
    if depths[0] != depths[1] or widths[0] != widths[1]:
        raise DataError(
            f"A base model with {depths[0]} layers of width {widths[0]}, like the subject, is expected.",
            f"Found {depths[1]} layers of width {widths[1]}.",
            "Name the model that it was trained from.",
        )
    layer, default = drawn.space.layer, [DEFAULT.name]
    return slant(
        spoken.at(layer, drawn.roles),
        reread.at(layer, drawn.roles),
        (spoken.at(layer, default)[0], reread.at(layer, default)[0]),
        scale=drawn.space.scale,
        traits=traits,
    )
