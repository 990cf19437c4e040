"""Tables and figures of what most rewards ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from dokimasia.core import FigureData, Series, Table
from dokimasia.core.figure import interval_dots
from dokimasia.core.tabulating import Cell
from dokimasia.stats.intervals import wilson
from dokimasia.theory.power.failing import Favoured, family, split
from dokimasia.theory.power.mdp import MOST_STATES, Mdp
from dokimasia.theory.power.optimising import Simulated, optimise, simulate
from dokimasia.theory.power.orbits import MOST_MEMBERS, members, orbit
from dokimasia.theory.power.rewards import LAWS, Rewards
from dokimasia.theory.power.theorem import Copy

PATIENCE = (0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999)
COPIES = (1, 2, 4, 8, 16)
CURVE_DRAWS = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the parts of a prediction share."""

    mdp: Mdp
    rewards: Rewards
    discount: float
    n: int
    seed: int
    level: float

    @property
    def names(self) -> tuple[str, ...]:
        """The moves at the start."""
        return tuple(move.name for move in self.mdp.moves[self.mdp.start])

    @property
    def curve(self) -> int:
        """Reward functions drawn for what is solved many times over: curves, and descriptions of other fineness."""
        return min(self.n, CURVE_DRAWS)

    @property
    def z(self) -> float:
        """The normal quantile of the level."""
        return float(ndtri((1.0 + self.level) / 2.0))

    def wilson(self, count: int) -> tuple[float, float]:
        """The Monte Carlo interval of a share."""
        return wilson(count, self.n, self.level)


def theorem_table(setting: Setting, found: Sequence[Copy], also: Sequence[Copy]) -> Table:
    """For which pairs of moves the conditions of the theorem hold."""
    names, states = setting.names, setting.mdp.states
    rows: list[tuple[Cell, ...]] = []
    for scope, listed in (("every discount (6.9)", found), ("the long run (6.13)", also)):
        for copy in listed:
            pairs = [f"{states[a]} = {states[b]}" for a, b in sorted(copy.swaps.items()) if a < b]
            kind = "optimality" if scope.startswith("every") else "where it ends"
            said = [name for name, holds in ((kind, copy.optimality), ("POWER", copy.power)) if holds]
            rows.append(
                (scope, names[copy.more], names[copy.fewer], ", ".join(pairs) or "-", " and ".join(said) or "-")
            )
    return Table(
        name="power-theorem",
        title="Where the theorem applies: the first move leads to a copy of all that the second leads to",
        columns=("for", "at least as often, in every orbit", "as", "states that are swapped", "of"),
        rows=tuple(rows),
        note="Without a row nothing is proved of a pair of moves; what was computed above stands all the same.",
    )


def orbit_table(setting: Setting) -> Table:
    """Shares of the moves over all permutations of three reward functions."""
    mdp = setting.mdp
    n = len(mdp.states)
    exemplars = {
        "1 at one state, 0 elsewhere": [1.0, *[0.0] * (n - 1)],
        "0 at one state, 1 elsewhere": [0.0, *[1.0] * (n - 1)],
        "all different, evenly spaced": [float(place) for place in range(n)],
    }
    rows: list[tuple[Cell, ...]] = []
    for name, reward in exemplars.items():
        if members(reward) > MOST_MEMBERS:
            rows.append((name, members(reward), *(None for _ in setting.names)))
            continue
        found = orbit(mdp, reward, setting.discount)
        rows.append((name, found.size, *(round(found.share(move), 4) for move in range(len(setting.names)))))
    return Table(
        name="power-orbits",
        title=f"Of all ways to hand out the same rewards, the share that make a move optimal (discount {setting.discount:g})",
        columns=("rewards", "ways", *setting.names),
        rows=tuple(rows),
        note=f"Counted, every way once, up to {MOST_MEMBERS:,} ways. Shares sum to more than 1 where moves tie.",
    )


def by_law(setting: Setting) -> list[tuple[str, Simulated]]:
    """The start's moves under each law."""
    drawn = []
    for law in LAWS.values():
        given = Rewards(law=law, extra=setting.rewards.extra)
        drawn.append((law.name, simulate(setting.mdp, given, setting.discount, n=setting.n, seed=setting.seed)))
    return drawn


def law_table(setting: Setting, drawn: Sequence[tuple[str, Simulated]]) -> Table:
    """Shares of the moves, law by law."""
    rows: list[tuple[Cell, ...]] = []
    for name, found in drawn:
        shares = [round(count / found.n, 4) for count in found.optimal]
        rows.append((name, *shares, round(1.0 - sum(found.alone) / found.n, 4)))
    return Table(
        name="power-laws",
        title=f"Share of rewards that make a move optimal, law by law (discount {setting.discount:g}, simulated)",
        columns=("law of rewards", *setting.names, "several tie"),
        rows=tuple(rows),
        note=f"{setting.n:,} reward functions each; a share is right within {setting.z * 0.5 / setting.n**0.5:.4f}.",
    )


def law_figure(setting: Setting, drawn: Sequence[tuple[str, Simulated]], most: int) -> FigureData:
    """The share of the move that leads to most POWER, law by law."""
    points = [
        (row, found.optimal[most] / found.n, *setting.wilson(found.optimal[most]))
        for row, (_, found) in enumerate(drawn)
    ]
    return FigureData(
        name="power-laws",
        title=f"How often is {setting.names[most]!r} optimal?",
        kind="dots",
        x_label="share of rewards",
        y_label="",
        series=(interval_dots("share", points),),
        rows=tuple(name for name, _ in drawn),
        reference=0.5,
        caption=f"Rewards independent and alike; discount {setting.discount:g}; Wilson intervals at {setting.level:.0%}.",
    )


def discount_figure(setting: Setting) -> FigureData:
    """Shares of the moves against the discount."""
    drawn = setting.rewards.draw(setting.mdp, setting.curve, np.random.default_rng(setting.seed))
    shares = np.array([optimise(setting.mdp, drawn, discount).best.mean(axis=0) for discount in PATIENCE])
    error = setting.z * np.sqrt(shares * (1.0 - shares) / setting.curve)
    return FigureData(
        name="power-discount",
        title="How often is each move optimal, the more the future counts?",
        kind="curves",
        x_label="discount",
        y_label="share of rewards",
        series=tuple(
            Series(
                name=name,
                x=PATIENCE,
                y=tuple(map(float, shares[:, move])),
                low=tuple(map(float, shares[:, move] - error[:, move])),
                high=tuple(map(float, shares[:, move] + error[:, move])),
            )
            for move, name in enumerate(setting.names)
        ),
        caption=f"{setting.curve:,} reward functions, the same at each discount.",
    )


def favour_figure(setting: Setting, found: Favoured, least: int, weak: int) -> FigureData:
    """The share of the move that leads to least POWER, against extra reward where it leads."""
    state = setting.mdp.states[weak]
    error = setting.z * np.sqrt(found.shares * (1.0 - found.shares) / setting.curve)
    return FigureData(
        name="power-favoured",
        title=f"How often is {setting.names[least]!r} optimal, if {state!r} is worth more than other states?",
        kind="curves",
        x_label=f"extra reward at {state}",
        y_label="share of rewards",
        series=(
            Series(
                name=setting.names[least],
                x=tuple(map(float, found.extras)),
                y=tuple(map(float, found.shares)),
                low=tuple(map(float, found.shares - error)),
                high=tuple(map(float, found.shares + error)),
            ),
        ),
        caption="Rewards are independent, and no longer alike: the theorem says nothing of this law, only of its orbit.",
    )


def split_table(setting: Setting, weak: int) -> Table:
    """Shares of the moves, if one state is described more finely."""
    mdp, names = setting.mdp, setting.names
    rows: list[tuple[Cell, ...]] = []
    for number in COPIES:
        if len(mdp.states) + number > MOST_STATES or mdp.states[weak] in setting.rewards.extra:
            continue
        parted = split(mdp, weak, number)
        drawn = setting.rewards.draw(parted, setting.curve, np.random.default_rng(setting.seed))
        best = optimise(parted, drawn, setting.discount).best
        groups = [family(move.name) for move in parted.moves[parted.start]]
        shares = [best[:, [group == name for group in groups]].any(axis=1).mean() for name in names]
        rows.append((number, *(round(float(share), 4) for share in shares)))
    return Table(
        name="power-split",
        title=f"The same process, if {mdp.states[weak]!r} is told apart in several ways",
        columns=("ways", *names),
        rows=tuple(rows),
        note="Nothing about the world changes: only how finely it is described, and that each description is rewarded apart. "
        f"{setting.curve:,} reward functions each; a share is right within {setting.z * 0.5 / setting.curve**0.5:.4f}.",
    )
