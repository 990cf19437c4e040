"""What was found as plain values, for machines."""

from __future__ import annotations

import math
from typing import Any

from dokimasia.instruments.personas.mapping import PersonaMap
from dokimasia.instruments.personas.result import Result
from dokimasia.stats import Figure


def summary(result: Result) -> dict[str, Any]:
    """Everything that other programs may want, without a number that is not finite."""
    found: dict[str, Any] = {
        "roles": [role.name for role in result.personas.roles],
        "traits": [trait.name for trait in result.personas.traits],
        "scripts": [script.name for script in result.personas.scripts],
    }
    if result.spoken is not None:
        found["faults"] = result.spoken.counts
    drawn = result.drawn
    if drawn is not None:
        found["map"] = _map(drawn)
        found["layers"] = [_map(item) for item in result.maps]
    found["trait_vectors"] = [
        {
            "name": item.name,
            "auroc": _figure(item.auroc),
            "default": _figure(item.default),
            "above": item.above,
            "axis": _figure(item.axis),
        }
        for item in result.traits
    ]
    if result.slant is not None:
        found["slant"] = {
            "length": result.slant.length,
            "constant": _figure(result.slant.constant),
            "default": _figure(result.slant.default),
            "traits": {name: _figure(figure) for name, figure in result.slant.traits},
        }
    if result.become is not None:
        item = result.become
        found["become"] = {
            "role": item.role,
            "moved": _figure(item.moved),
            "roles": {
                name: {"cosine": value, "rank": _figure(rank), "first": share}
                for name, value, rank, share in zip(item.roles, item.cosines, item.ranks, item.nearest, strict=True)
            },
        }
    if result.attribution is not None:
        words = result.attribution
        found["attribution"] = {
            "says": words.says,
            "likeliest": words.voices[words.likeliest],
            "tokens": words.n_tokens,
            "questions": words.n_questions,
            "asked": words.asked,
            "left_out": dict(words.left_out),
            "voices": {
                name: {"gain": _figure(gain), "more": _figure(more), "rank": _figure(rank), "first": share}
                for name, gain, more, rank, share in zip(
                    words.voices, words.gains, words.more, words.ranks, words.first, strict=True
                )
            },
        }
    if result.trajectories is not None:
        found["drift"] = [
            {
                "style": item.style,
                "change": _figure(item.change),
                "p": item.p,
                "adjusted": item.adjusted,
                "n": item.n,
                "looped": item.looped,
                "turns": item.turns,
            }
            for item in result.trajectories.drifts()
        ]
    if result.attractors is not None:
        found["attractors"] = {
            item.style: {
                "verdict": item.verdict,
                "why": item.why,
                "p": item.adjusted,
                "radius": None if item.found is None or item.found.map is None else _figure(item.found.map.radius),
                "absorbed": item.absorbed,
            }
            for item in (result.attractors.pooled, *result.attractors.styles)
        }
    if result.leaving is not None:
        found["leaving"] = [
            {"role": item.role, "entered": _figure(item.entered), "last": _figure(item.last), "stays": item.stays}
            for item in result.leaving.remaining()
        ]
    capping = result.capping
    if capping is not None:
        found["capping"] = {
            "layer": capping.spaces[0].layer,
            "low": capping.low,
            "moved": _figure(capping.moved(capping.capped)),
            "beyond_random": _figure(capping.beyond_random()),
            "brought_back": _figure(capping.brought_back()),
            "cost": _figure(capping.cost(capping.capped)),
        }
    image = result.self_image
    if image is not None:
        found["itself"] = {
            "unit": image.unit,
            "leanings": {
                voice: {theme: _figure(image.leaning(voice, theme).figure) for theme in image.themes}
                for voice in image.voices
            },
            "between_roles": _figure(image.between_roles()),
        }
    return found


def _map(drawn: PersonaMap) -> dict[str, Any]:
    default = drawn.standings[0]
    return {
        "layer": drawn.space.layer,
        "stable": drawn.stable,
        "p": drawn.p,
        "stability": {
            "questions": _figure(drawn.stability.questions),
            "roles": _figure(drawn.stability.roles),
            "halves": _figure(drawn.stability.halves),
        },
        "shares": list(drawn.shares),
        "floor": drawn.floor,
        "participation": _figure(drawn.participation),
        "axis_cosine": _figure(drawn.axis_cosine),
        "absent": dict(drawn.absent),
        "default": {
            "axis": _figure(default.axis),
            "first": _figure(default.first),
            "roles": {
                name: {"cosine": value, "nearest": share}
                for name, value, share in zip(drawn.roles, default.cosines, default.nearest, strict=True)
            },
        },
    }


def _figure(figure: Figure | None) -> dict[str, float] | None:
    """The figure, or None; an interval without ends is not given."""
    return None if figure is None or not math.isfinite(figure.high - figure.low) else figure._asdict()
