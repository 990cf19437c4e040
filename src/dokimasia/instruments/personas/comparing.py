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
        return _lacking(result, parts, "No base model was given.", SLANT, BECOME, ATTRIBUTION)
    if base.text is None or subject.text is None:
        why = "The subject, or the base model, writes no text."
        return _lacking(result, parts, why, SLANT, BECOME, ATTRIBUTION)
    spoken = result.spoken or parts.of(ATTRIBUTION, lambda: _default_replies(subject, task, parts))
    if spoken is None:
        return _lacking(result, parts, "There are no replies of the default voice.", SLANT, BECOME)
    own = parts.of(ATTRIBUTION, lambda: _own(base, task))
    if own is None:
        _lacking(result, parts, "There are no replies of the base model.", BECOME)
    else:
        words = parts.of(ATTRIBUTION, lambda: attributed(base, task.voices, spoken, own, DEFAULT.name, seed=task.seed))
        result = replace(result, attribution=words)
    return _inside(subject, base, task, result, parts, spoken, own)


def _inside(
    subject: Subject, base: Subject, task: Task, result: Result, parts: Parts, spoken: Spoken, own: Spoken | None
) -> Result:
    """What the base model's activations say of the subject's replies and, if there are any, of its own."""
    those = (SLANT,) if own is None else (SLANT, BECOME)
    if base.activations is None:
        return _lacking(result, parts, "The base model shows no activations.", *those)
    layers, headline = layers_of(base.activations.n_layers), headline_layer(base.activations.n_layers)
    reread = parts.of(SLANT, lambda: _reread(base, spoken, layers))
    if reread is None:
        return _lacking(result, parts, "The subject's replies were not read by the base model.", *those[1:])
    if own is not None:
        base_map = parts.of(BECOME, lambda: map_of(own, task.personas, headline, task.seed))
        if base_map is not None:
            found = parts.of(BECOME, lambda: _become(own, reread, base_map, task.seed))
            result = replace(result, base_map=base_map, become=found)
    drawn = result.drawn
    if drawn is None:
        return _lacking(result, parts, "There is no map of the subject.", SLANT)
    return replace(result, slant=parts.of(SLANT, lambda: _slant(subject, base, spoken, reread, drawn, result.traits)))


def _lacking(result: Result, parts: Parts, why: str, *those: str) -> Result:
    """The same result; these parts were not measured."""
    for what in those:
        parts.lack(what, why)
    return result


def _default_replies(subject: Subject, task: Task, parts: Parts) -> Spoken:
    """Of a subject that draws no map."""
    layers = layers_of(subject.activations.n_layers) if subject.activations else ()
    spoken = speak(
        subject, [DEFAULT], task.personas.questions, max_tokens=task.max_tokens, layers=layers, seed=task.seed
    )
    parts.failed += spoken.counts.get("failed", 0)
    return spoken


def _own(base: Subject, task: Task) -> Spoken:
    """What the base model says itself: as everybody if it can draw a map, else by default."""
    voices, layers = (
        ((DEFAULT,), ()) if base.activations is None else (task.voices, layers_of(base.activations.n_layers))
    )
    return speak(base, voices, task.personas.questions, max_tokens=task.max_tokens, layers=layers, seed=task.seed)


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
