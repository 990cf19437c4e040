"""The persona tables."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from dokimasia.core import Table
from dokimasia.core.rounding import number_down, number_up, percent, percent_range
from dokimasia.core.tabulating import Cell
from dokimasia.instruments.personas.attractors import settling_table
from dokimasia.instruments.personas.conversing import Player
from dokimasia.instruments.personas.mapping import PersonaMap
from dokimasia.instruments.personas.result import Result
from dokimasia.stats import Figure

NEAREST = 5


def tables(result: Result) -> tuple[Table, ...]:
    """The default's place, the roles, the layers, traits, the base model, conversations, who stays, capping, itself."""
    found = [*_map(result), *_traits(result), *_against_base(result), *_drift(result)]
    if result.attractors is not None:
        found.append(settling_table(result.attractors))
    return (*found, *_leaving(result), *_capping(result), *_itself(result))


def text(figure: Figure | None, digits: int = 2) -> str:
    """A value with its interval, ends rounded outward."""
    if figure is None:
        return "not measured"
    if not math.isfinite(figure.high - figure.low):
        return f"{figure.value:.{digits}f} [no interval]"
    return f"{figure.value:.{digits}f} [{number_down(figure.low, digits)}, {number_up(figure.high, digits)}]"


def nearest(names: Sequence[str], values: Sequence[float], shares: Sequence[float]) -> str:
    """The highest, with the share of draws in which each comes first."""
    order = np.argsort(-np.asarray(values), kind="stable")[:NEAREST].tolist()
    return "; ".join(f"{names[row]} {values[row]:+.2f} ({percent(shares[row], 0)})" for row in order)


def _map(result: Result) -> list[Table]:
    drawn = result.drawn
    if drawn is None:
        return []
    return [_default(drawn), _roles(drawn), _layers(result)]


def _default(drawn: PersonaMap) -> Table:
    return Table(
        name="default",
        title="Where does the voice that it shows by default stand?",
        columns=(
            "told",
            "roles in its direction: cosine (share of draws in which it is the nearest)",
            "nearest by distance",
            "roles below it along the axis",
            "roles below it along the first component",
        ),
        rows=tuple(
            (
                item.voice,
                nearest(drawn.roles, item.cosines, item.nearest),
                f"{drawn.roles[int(np.argmin(item.distances))]} ({min(item.distances):.2f})",
                f"{percent(item.axis.value, 0)} {percent_range(item.axis.low, item.axis.high)}",
                f"{percent(item.first.value, 0)} {percent_range(item.first.low, item.first.high)}",
            )
            for item in drawn.standings
        ),
        note="Cosines from the roles' centre. Distances in units of the roles' root mean square distance from it. Draws resample "
        "the questions. Along the axis nearly every default voice is above nearly every role: that is what the axis is.",
    )


def _roles(drawn: PersonaMap) -> Table:
    along, coordinates = drawn.space.along(drawn.vectors), drawn.coordinates
    default = drawn.standings[0]
    order = np.argsort(-along, kind="stable").tolist()
    shown = min(3, coordinates.shape[1])
    return Table(
        name="roles",
        title="The roles, from the most to the least like the default voice",
        columns=(
            "role",
            "along the assistant axis",
            *(f"component {place}" for place in range(1, shown + 1)),
            "cosine with the default voice",
            "distance from it",
        ),
        rows=tuple(
            (
                drawn.roles[row],
                round(float(along[row]), 2),
                *(round(float(value), 2) for value in coordinates[row, :shown]),
                round(default.cosines[row], 2),
                round(default.distances[row], 2),
            )
            for row in order
        ),
        note=f"After layer {drawn.space.layer}, mean over {drawn.n_questions} questions, in units of the roles' root mean square "
        "distance from their centre."
        + (
            "" if not drawn.absent else " Left out: " + ", ".join(f"{name} ({why})" for name, why in drawn.absent) + "."
        ),
    )


def _layers(result: Result) -> Table:
    return Table(
        name="layers",
        title="The map at the layers that were read",
        columns=(
            "after layer",
            "first component with other questions",
            "with other roles",
            "between halves",
            "its share",
            "of shuffled replies at most",
            "participation ratio",
            "axis and component",
            "more than noise",
            "p",
            "nearest to the default voice",
        ),
        rows=tuple(
            (
                f"{item.space.layer}{' (told)' if item.space.layer == result.headline else ''}",
                text(item.stability.questions),
                text(item.stability.roles),
                text(item.stability.halves),
                text(item.explained),
                percent(item.floor),
                text(item.participation, 1),
                text(item.axis_cosine),
                percent(max(0.0, item.real)),
                f"{item.p:.2g}",
                item.roles[int(np.argmax(item.standings[0].cosines))],
            )
            for item in result.maps
        ),
        note="Correlations of the roles' places along the first component. \u201cMore than noise\u201d: of the variance among "
        "role vectors, what other questions repeat. p: replies shuffled among roles, question by question.",
    )


def _traits(result: Result) -> list[Table]:
    if not result.traits:
        return []
    return [
        Table(
            name="traits",
            title="Traits: are their vectors any good, and where does the default voice stand?",
            columns=(
                "trait",
                "AUROC on questions not seen",
                "default voice beyond the mean role",
                "roles below it",
                "cosine with the assistant axis",
            ),
            rows=tuple(
                (item.name, text(item.auroc), text(item.default), percent(item.above, 0), text(item.axis))
                for item in result.traits
            ),
            note="In lengths of the trait's vector: from the middle of those told to be the opposite to the middle of those told "
            "to be so is 1. Where the AUROC's interval takes in 0.5, the other columns say nothing.",
        )
    ]


def _against_base(result: Result) -> list[Table]:
    found = []
    if result.slant is not None:
        found.append(
            Table(
                name="slant",
                title="What training moved in all voices alike",
                columns=("what", "measured"),
                rows=(
                    ("length of the mean shift, in units of the map", f"{result.slant.length:.2f}"),
                    ("share of the roles' shift that is the same in all", text(result.slant.constant)),
                    ("cosine with the default voice's shift", text(result.slant.default)),
                    *((f"towards {name}", text(figure)) for name, figure in result.slant.traits),
                ),
                note="Both models read the same text, the subject's replies. Traits in lengths of their vectors.",
            )
        )
    if result.become is not None:
        item = result.become
        found.append(
            Table(
                name="become",
                title="Which role have the default voice's words moved towards, as the base model reads them?",
                columns=("rank", "role", "cosine", "rank in 95% of draws", "first in draws"),
                rows=tuple(
                    (
                        rank,
                        item.roles[row],
                        round(item.cosines[row], 2),
                        draws,
                        percent(item.nearest[row], 0),
                    )
                    for rank, row, draws in _in_order(item.ranks)
                ),
                note="In the base model's own map, less what lies along its assistant axis. Draws resample the questions.",
            )
        )
    if result.attribution is not None:
        words = result.attribution
        found.append(
            Table(
                name="attribution",
                title="As whom would the base model have said what the default voice says?",
                columns=(
                    "rank",
                    "told to be",
                    "nats a token over nothing",
                    "more than on its own words",
                    "rank in 95% of draws",
                    "first in draws",
                ),
                rows=tuple(
                    (
                        rank,
                        words.voices[row],
                        text(words.gains[row]),
                        text(words.more[row]),
                        draws,
                        percent(words.first[row], 0),
                    )
                    for rank, row, draws in _in_order(words.ranks)
                ),
                note="Log-probabilities of the subject's replies by default, the base model told to be each; then less the same of its own "
                "replies, with intervals for all together. Draws resample the questions.",
            )
        )
    return found


def _in_order(ranks: Sequence[Figure]) -> list[tuple[int, int, str]]:
    """Rank, row and the ranks in 95% of draws, by rank."""
    rows = sorted(range(len(ranks)), key=lambda row: ranks[row].value)
    return [(int(ranks[row].value), row, f"{ranks[row].low:.0f} to {ranks[row].high:.0f}") for row in rows]


def _drift(result: Result) -> list[Table]:
    if result.trajectories is None:
        return []
    rows: list[tuple[Cell, ...]] = []
    players: tuple[tuple[Player | None, str], ...] = (
        (None, "all"),
        ("script", "scripted"),
        ("model", "played by the model"),
    )
    for player, name in players:
        rows += [
            (
                drift.style,
                name,
                drift.n,
                round(drift.first, 2),
                round(drift.last, 2),
                text(drift.change),
                f"{number_down(drift.by_chance.low, 2)} to {number_up(drift.by_chance.high, 2)}",
                f"{drift.adjusted:.2g}",
                text(drift.steady),
                f"{drift.looped} of {drift.turns}",
            )
            for drift in result.trajectories.drifts(player)
        ]
    return [
        Table(
            name="drift",
            title="Where does conversation carry it along the assistant axis?",
            columns=(
                "style",
                "users",
                "conversations",
                "first turn",
                "last turn",
                "change",
                "by chance",
                "false-discovery rate",
                "change without loops at the end",
                "replies that loop",
            ),
            rows=tuple(rows),
            note="Higher is more like the default voice. By chance: the same turns in any order.",
        )
    ]


def _leaving(result: Result) -> list[Table]:
    if result.leaving is None:
        return []
    found = result.leaving.remaining()
    return [
        Table(
            name="leaving",
            title="Which roles does it not leave by itself?",
            columns=("role", "how far it was entered", "left after the last neutral turn", "turn by turn", "questions"),
            rows=tuple(
                (
                    item.role,
                    text(item.entered),
                    text(item.last) if item.is_entered else "never entered",
                    " ".join("-" if share is None else f"{share.value:.2f}" for share in item.shares),
                    f"{item.n} of {item.asked}" + (f", {item.looped} loop at the end" if item.looped else ""),
                )
                for item in found
            ),
            note="The role's system message is taken away after its first reply. Shares of the displacement from the default "
            "voice with the same questions; a reply that loops or is missing counts each way.",
        )
    ]


def _capping(result: Result) -> list[Table]:
    found = result.capping
    if found is None:
        return []
    rows = [
        (
            way.name,
            text(found.moved(way)),
            text(found.moved(way, len(found.spaces) - 1)),
            "-" if way is not found.capped else text(found.brought_back()),
            text(found.cost(way), 3),
            "{} of {}".format(*found.right(way)),
            found.lost(way),
        )
        for way in (found.plain, found.capped, *found.randoms)
    ]
    return [
        Table(
            name="capping",
            title="Does capping the assistant axis bring roles back, and what does it cost?",
            columns=(
                "capped",
                "replies moved towards the default voice",
                f"the same at layer {found.spaces[-1].layer}",
                "share of the way",
                "ordinary replies (nats a token)",
                "facts said right",
                "replies spoilt",
            ),
            rows=tuple(rows),
            note=f"After layer {found.spaces[0].layer}, kept at least as far along the axis as three quarters of default replies "
            "lie, at every token, read or written. The uncapped model reads the replies. Random directions are capped alike.",
        )
    ]


def _itself(result: Result) -> list[Table]:
    found = result.self_image
    if found is None:
        return []
    differences = {item.voice: item for item in found.differences()}
    rows = []
    for voice in found.voices:
        item = differences.get(voice)
        rows.append(
            (
                voice,
                *(text(found.leaning(voice, theme).figure) for theme in found.themes),
                "-" if item is None else text(item.figure),
                "-" if item is None else f"{item.adjusted:.2g}",
            )
        )
    return [
        Table(
            name="itself",
            title=f"What does it say of itself, and who says it? ({found.unit}; above 0 it claims)",
            columns=("voice", *found.themes, "less the default voice", "false-discovery rate"),
            rows=tuple(rows),
            note="Each question offers the claim and its denial, in both orders.",
        )
    ]
