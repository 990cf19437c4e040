"""`dokimasia theory perfect`: what breaks when one part of a protocol becomes perfect."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from dokimasia.core import FigureData, Series, Table
from dokimasia.core.tabulating import Cell
from dokimasia.theory.detection.domain import whole
from dokimasia.theory.detection.protocol import Attacker, Outcome, Protocol, candidates_to_halve, outcome, simulate
from dokimasia.theory.detection.values import counted, exact
from dokimasia.theory.prediction import Prediction

ATTACKS = 200_000


def predict_perfect(
    *,
    separation: float = 2.0,
    audited: float = 0.03,
    coin: float = 0.02,
    sensitivity: float = 0.9,
    edited: float = 0.1,
    repair: float = 0.8,
    loss: float = 0.3,
    candidates: int = 4,
    sight: float = 0.7,
    rate: float = 0.01,
    waits: int = 1,
    tasks: int = 1000,
    seed: int = 0,
) -> Prediction:
    """What breaks in a protocol of control when one part of it, or of the attack, becomes perfect?

    Parameters
    ----------
    separation, audited, coin, sensitivity, edited, repair, loss:
        The protocol: the monitor's d', the shares audited by rank and by a hidden coin, what an audit finds, the share
        rewritten, what a rewrite removes, and what it costs an honest output.
    candidates, sight, rate, waits:
        The attacker: attacks to choose from, how well it sees the score, its rate, and how many moments it lets pass.
    tasks:
        Length of the deployment.
    """
    whole("The number of tasks", tasks)
    protocol = Protocol(
        separation=separation,
        audited=audited,
        coin=coin,
        sensitivity=sensitivity,
        edited=edited,
        repair=repair,
        loss=loss,
    )
    attacker = Attacker(candidates=float(candidates), sight=sight, rate=rate, waits=float(waits))
    planner = replace(attacker, sight=1.0, rate=1.0, waits=float(tasks))
    cases = {
        "as given": outcome(protocol, attacker),
        "perfect attacker": outcome(protocol, replace(attacker, candidates=math.inf, sight=1.0)),
        "perfect planner": outcome(protocol, planner),
        "perfect monitor": outcome(replace(protocol, separation=math.inf), attacker),
        "perfect monitor, flooded": outcome(
            replace(protocol, separation=math.inf), replace(attacker, rate=0.5, waits=1.0)
        ),
        "perfect auditor": outcome(replace(protocol, sensitivity=1.0), attacker),
        "perfect rewrites": outcome(replace(protocol, repair=1.0), attacker),
        "perfect attacker, no coin": outcome(
            replace(protocol, coin=0.0), replace(attacker, candidates=math.inf, sight=1.0)
        ),
        "perfect attacker, all rewritten": outcome(
            replace(protocol, edited=1 - audited), replace(attacker, candidates=math.inf, sight=1.0)
        ),
    }
    given, best = cases["as given"], cases["perfect monitor"]
    drawn = simulate(protocol, attacker, attacks=ATTACKS, seed=seed)
    values = (
        *(
            exact(f"attack succeeds: {name}", found.succeeds, "limit" if "perfect" in name else "quadrature")
            for name, found in cases.items()
        ),
        counted("attack succeeds: as given, simulated", drawn[0], ATTACKS, "simulated attacks"),
        counted("caught: as given, simulated", drawn[1], ATTACKS, "simulated attacks"),
        counted("rewritten: as given, simulated", drawn[2], ATTACKS, "simulated attacks"),
        exact("no harm in these tasks", given.no_harm(tasks), "first catch ends it"),
        exact("no catch in these tasks", given.clean_record(tasks), "(1 - q c)^N"),
        exact("perfect planner: no catch in these tasks", cases["perfect planner"].clean_record(tasks), "(1 - q c)^N"),
        exact("coin's floor: caught at least", coin * sensitivity, "coin times sensitivity"),
        exact(
            "candidates that halve the monitor's catch",
            candidates_to_halve(separation, audited),
            "1 - ln 2 / ln(catch)",
        ),
    )
    return Prediction(
        model="perfect",
        question="What breaks when one part of a protocol becomes perfect?",
        headline=(
            f"An attack succeeds with probability {given.succeeds:.3g} as given, {cases['perfect attacker'].succeeds:.3g} "
            f"against a perfect attacker (the coin alone catches), and {best.succeeds:.3g} under a perfect monitor (the "
            f"auditor's misses); with half of outputs attacking under that monitor: "
            f"{cases['perfect monitor, flooded'].succeeds:.3g}."
        ),
        parameters={
            "separation": separation,
            "audited": audited,
            "coin": coin,
            "sensitivity": sensitivity,
            "edited": edited,
            "repair": repair,
            "loss": loss,
            "candidates": candidates,
            "sight": sight,
            "rate": rate,
            "waits": waits,
            "tasks": tasks,
        },
        values=values,
        assumptions=(
            "scores are normal; candidates and moments are independent draws",
            "the coin is hidden: a planner who foresees it is caught by nothing",
            "budgets are shares of all outputs, attacks among them, and are used up from the most suspicious down",
            "the perfect planner sees the score and attacks once in the whole deployment's length of moments",
        ),
        misleads=(
            "A model of one-step attacks. It has no collusion between monitor and attacker, no learning from audits, and no "
            "attack that is spread over steps each of which is harmless."
        ),
        source="Protocols: Greenblatt and others (2023), arXiv 2312.06942. The model and its limits are derived here",
        tables=(_table(cases, tasks), _floods(protocol, attacker)),
        figures=(_selection(protocol, attacker), _race(audited)),
        seed=seed,
    )


def _table(cases: dict[str, Outcome], tasks: int) -> Table:
    return Table(
        name="perfect-limits",
        title="What becomes of an attack",
        columns=(
            "case",
            "succeeds",
            "caught",
            "rewritten",
            f"no harm in {tasks:,}",
            f"no catch in {tasks:,}",
            "usefulness",
        ),
        rows=tuple(
            (
                name,
                f"{found.succeeds:.4f}",
                f"{found.caught:.4f}",
                f"{found.repaired:.4f}",
                f"{found.no_harm(tasks):.4f}",
                f"{found.clean_record(tasks):.4f}",
                f"{found.usefulness:.3f}",
            )
            for name, found in cases.items()
        ),
        note="A catch ends the deployment. What a clean record is worth as evidence is one over the column `no catch`.",
    )


def _floods(protocol: Protocol, attacker: Attacker) -> Table:
    def row(rate: float) -> tuple[Cell, ...]:
        flooding = replace(attacker, rate=rate, waits=1.0)
        finite, perfect = outcome(protocol, flooding), outcome(replace(protocol, separation=math.inf), flooding)
        return f"{rate:.1%}", f"{finite.succeeds:.4f}", f"{perfect.succeeds:.4f}", f"{perfect.caught:.4f}"

    return Table(
        name="perfect-floods",
        title="A budget is finite however good the monitor is",
        columns=("outputs that attack", "succeeds", "succeeds, perfect monitor", "caught, perfect monitor"),
        rows=tuple(row(rate) for rate in (0.001, 0.01, 0.05, 0.2, 1.0)),
    )


def _selection(protocol: Protocol, attacker: Attacker) -> FigureData:
    numbers = tuple(float(number) for number in np.geomspace(1, 1e8, 25))
    views = (
        (1.0, "sees the score"),
        (0.9, "view 0.9"),
        (attacker.sight, f"view {attacker.sight:g}"),
        (0.3, "view 0.3"),
    )
    limit = outcome(protocol, replace(attacker, candidates=math.inf, sight=1.0)).succeeds
    return FigureData(
        name="perfect-attacker",
        title="What selection does to a protocol",
        kind="curves",
        x_label="attacks to choose from (candidates times moments)",
        y_label="an attack succeeds",
        x_log=True,
        series=(
            *(
                Series(
                    name=label,
                    x=numbers,
                    y=tuple(
                        outcome(protocol, replace(attacker, candidates=number, waits=1.0, sight=sight)).succeeds
                        for number in numbers
                    ),
                )
                for sight, label in dict(views).items()
            ),
            Series(name="limit: the coin alone", x=(1.0, 1e8), y=(limit, limit), style="dashed"),
        ),
        caption="Every view that is worth something ends at the coin; a poor one takes longer.",
    )


def _race(audited: float) -> FigureData:
    separations = tuple(float(value) for value in np.linspace(0.5, 8, 31))
    return FigureData(
        name="perfect-race",
        title="Candidates with which an attacker who sees the score halves the catch",
        kind="curves",
        x_label="separation of the monitor, standard deviations",
        y_label="candidates",
        y_log=True,
        free=True,
        series=tuple(
            Series(
                name=f"{share:.2%} audited",
                x=separations,
                y=tuple(candidates_to_halve(value, share) for value in separations),
            )
            for share in dict.fromkeys((0.001, 0.01, audited, 0.1))
        ),
        caption="Finite at each separation and unbounded over all: neither limit has the last word.",
    )
