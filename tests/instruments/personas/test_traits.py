"""Trait vectors: told from noise, and places along them."""

import numpy as np
from tests.instruments.personas.planted import WIDTH, activations, named

from dokimasia.instruments.personas.mapping import draw_map
from dokimasia.instruments.personas.speaking import Spoken
from dokimasia.instruments.personas.traits import trait_vectors, trait_voices
from dokimasia.sources.personas import Trait

TRAITS = tuple(Trait(name=name, towards=("Be so.",), away=("Do not.",)) for name in ("warm", "void"))


def found(length: float = 4.0, *, missing: int = 0, seed: int = 0):
    """Two traits: the first moves the first dimension by so much, the second nothing; the default is halfway along the first."""
    rng = np.random.default_rng(seed)
    roles, defaults = activations(rng, questions=8)
    defaults[0, :, 0] += roles[:, :, 0].mean(axis=0) - defaults[0, :, 0] + length / 2
    told = draw_map(
        roles, defaults, names=named(20), default_names=["a", "b", "c"], faults=[[""] * 8] * 20, layer=0, seed=0
    )
    values = rng.normal(size=(4, 8, WIDTH)) * 0.5 + roles.mean(axis=0)
    values[0, :, 0] += length
    values[3, :missing] = np.nan
    spoken = Spoken(
        voices=tuple(voice.name for voice in trait_voices(TRAITS)),
        questions=tuple(map(str, range(8))),
        layers=(0,),
        conversations=(),
        faults=("",) * 32,
        values=values[:, :, None].astype(np.float32),
    )
    return trait_vectors(TRAITS, spoken, told, roles, defaults[0])


def test_a_planted_trait_tells_questions_that_it_has_not_seen():
    """Its vector points where it was planted, tells towards from away, and places the default voice halfway."""
    (warm, _), lost = found()
    assert not lost
    assert warm.valid
    assert warm.auroc.value > 0.95
    assert warm.vector[0] / np.linalg.norm(warm.vector) > 0.95
    assert abs(warm.default.value - 0.5) < 0.1
    assert 0 < warm.default.high - warm.default.low < 0.3
    assert warm.above > 0.7


def test_a_trait_that_changes_nothing_is_not_valid():
    """On other questions its vector tells nothing, though on its own it would tell everything."""
    voids = [found(seed=seed)[0][1] for seed in range(5)]
    assert sum(item.valid for item in voids) <= 1
    assert 0.2 < np.mean([item.auroc.value for item in voids]) < 0.8


def test_a_trait_without_replies_is_lost_by_name():
    """With one question left that was replied to both ways there is no vector."""
    (warm,), lost = found(missing=7)
    assert warm.name == "warm"
    assert lost == ("void",)
    assert len(found(missing=6)[0]) == 2
