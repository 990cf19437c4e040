"""From fitted curves to a finding: the sentence on top, estimates, caveats, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np

from dokimasia.core import Estimate, Finding, NotMeasured
from dokimasia.core.rounding import counted
from dokimasia.core.tabulating import Cell
from dokimasia.sources.runs import Runs
from dokimasia.study.horizon.judging import CONFIDENCE, LEVELS, Agent, Judged
from dokimasia.study.horizon.showing import (
    Shown,
    figures,
    minutes_text,
    rounded,
    span_text,
    tables,
    value_text,
)
from dokimasia.theory.horizons import (
    AgentFits,
    Attempts,
    Dispersion,
    beyond_bound,
)
from dokimasia.theory.horizons.spans import FEWEST_FAMILIES, point

REFUSED = 0.99
ENOUGH_FAMILIES = 30
MISLEADS = (
    "Human time stands for difficulty only as far as these families go: other tasks that take a person as long may be far "
    "easier or harder. A horizon is that of an agent with its tools, instructions and limits, on tasks with a clear end. "
    "Human times are taken as exact, whoever measured or guessed them."
)


def tell(
    *,
    instrument: str,
    version: str,
    question: str,
    agents: Sequence[Agent],
    fits: Sequence[AgentFits],
    runs: Runs,
    replicates: int,
    seed: int,
) -> Finding:
    """Put everything into one finding."""
    judged = Judged(fits=fits) if fits else None
    bounded = [NotMeasured(what=f"A curve for {item.name}", why=bound_text(item)) for item in agents if item.why_not]
    configuration: dict[str, Cell] = {
        "runs": runs.name,
        "rows": runs.rows,
        "replicates": replicates,
        "confidence": CONFIDENCE,
    }
    if judged is None:
        return Finding(
            instrument=instrument,
            version=version,
            question=question,
            status="not measured",
            headline=f"Could not be measured. {' '.join(f'{item.what}: {item.why}' for item in bounded[:3])}",
            access="none",
            misleads=MISLEADS,
            not_measured=tuple(bounded),
            configuration=configuration,
            seed=seed,
            raw={"runs": runs.rows, "agents": {}, "bounds": _bounds(agents)},
        )
    return Finding(
        instrument=instrument,
        version=version,
        question=question,
        status="measured",
        headline=_headline(judged, agents, runs),
        access="none",
        estimates=(*_estimates(judged, replicates), *_failed(agents)),
        tables=tuple(tables(judged.shown, judged.standings, judged.best, judged.rivals)),
        figures=tuple(figures(judged.shown, judged.rivals, judged.best)),
        caveats=tuple(_caveats(judged, agents)),
        misleads=MISLEADS,
        not_measured=(*bounded, *_missing(judged)),
        configuration=configuration,
        seed=seed,
        raw={
            "runs": runs.rows,
            "best": judged.best.name,
            "rivals": [item.name for item in judged.rivals],
            "cross_validated": judged.crossed,
            "curves": [
                {**asdict(item), "curve": item.curve.name, "formula": item.curve.formula} for item in judged.standings
            ],
            "agents": {item.fits.name: _raw(item) for item in judged.shown},
            "bounds": _bounds(agents),
        },
    )


def bound_text(agent: Agent) -> str:
    """Why there is no curve, and what can be said without one."""
    bounds = [(level, beyond_bound(agent.attempts, level)) for level in LEVELS]
    said = [
        f"the {level:.0%} horizon is "
        + (f"at least {minutes_text(low, -1)}" if high is None else f"at most {minutes_text(high, 1)}")
        + " minutes"
        for level, found in bounds
        if found
        for low, high in (found,)
    ]
    if said:
        return f"{agent.why_not} At 95% confidence {' and '.join(said)}, if success does not rise with the time."
    if (agent.attempts.rates == 1).all() or (agent.attempts.rates == 0).all():
        families = counted(agent.attempts.n_families, "family", "families")
        return f"{agent.why_not} {families} are too few for a bound."
    return agent.why_not


def _headline(judged: Judged, agents: Sequence[Agent], runs: Runs) -> str:
    tasks = len({(item.family, item.task) for item in runs.tallies})
    families = len({item.family for item in runs.tallies})
    opening = (
        f"{counted(runs.rows, 'run')} by {counted(len(agents), 'agent')} of {counted(tasks, 'task')} in "
        f"{counted(families, 'family', 'families')}"
    )
    top = judged.shown[0]
    found = top.spans[0]
    interval = "" if found.both is None else f" ({CONFIDENCE:.0%}: {span_text(found.both, found)})"
    longest = (
        f"the longest 50% horizon is {value_text(found)} human minutes{interval}, of {top.fits.name}"
        if len(judged.shown) > 1
        else f"the 50% horizon of {top.fits.name} is {value_text(found)} human minutes{interval}"
    )
    sure = [item.name for item in agents if item.why_not and (item.attempts.rates == 1).all()]
    beside = f" Every run of {' and of '.join(sure)} succeeded: those horizons may be longer." if sure else ""
    if not judged.crossed:
        return f"{opening}: {longest}, by METR's curve; with one family none can be preferred.{beside}"
    if judged.flat:
        return f"{opening} do not show that success falls with human time. If it does, {longest}.{beside}"
    others = [item.name for item in judged.rivals if item is not judged.best]
    rivals = f"; {', '.join(others)} may be as good" if others else ""
    return f"{opening}: {longest}. Unseen families are best predicted by the {judged.best.name} curve{rivals}.{beside}"


def _estimates(judged: Judged, replicates: int) -> Iterator[Estimate]:
    how = f"{judged.best.name} curve, weights by task and family; percentiles of {replicates} resamples of families"
    for item in judged.shown:
        n = item.fits.attempts.n_families
        for found in item.spans:
            if found.both is None or found.both.high is None:
                continue
            yield Estimate(
                name=f"h{100 * found.level:.0f} of {item.fits.name}",
                value=None if found.value is None else rounded(found.value),
                low=rounded(found.both.low, -1),
                high=rounded(found.both.high, 1),
                level=CONFIDENCE,
                n=n,
                unit="minutes",
                direction="higher means that it does longer tasks",
                method=f"{how}, the widest of {', '.join(curve.name for curve in judged.rivals)}",
            )
        if item.dispersion is not None:
            yield from _dispersed(item.fits.name, item.dispersion, how)
    for standing in judged.standings:
        if standing.behind is None or standing.low is None or standing.high is None or standing.behind == 0:
            continue
        yield Estimate(
            name=f"loss of the {standing.curve.name} curve on unseen families, beyond the best",
            value=round(standing.behind, 3),
            low=standing.low,
            high=standing.high,
            level=CONFIDENCE,
            n=len({family for item in judged.fits for family in item.attempts.families.tolist()}),
            unit="nats",
            direction="higher means a worse curve",
            method="leave one family out, all agents; Student's t over families",
        )


def _failed(agents: Sequence[Agent]) -> Iterator[Estimate]:
    """Upper bounds for agents that never succeeded."""
    for agent in agents:
        for level in LEVELS:
            low, high = beyond_bound(agent.attempts, level) or (0.0, None)
            if high is None:
                continue
            yield Estimate(
                name=f"h{100 * level:.0f} of {agent.name}",
                value=None,
                low=low,
                high=rounded(high, 1),
                level=CONFIDENCE,
                n=agent.attempts.n_families,
                unit="minutes",
                direction="higher means that it does longer tasks",
                method="one-sided, without a curve: every run failed; Clopper-Pearson over families",
            )


def _dispersed(name: str, found: Dispersion, how: str) -> Iterator[Estimate]:
    for what, value, low, high, direction in (
        (
            "chi-squared over degrees of freedom",
            found.ratio,
            found.ratio_low,
            found.ratio_high,
            "above 1: tasks differ",
        ),
        (
            "correlation of runs of one task",
            found.correlation,
            found.correlation_low,
            found.correlation_high,
            "1: a task is always or never done",
        ),
    ):
        yield Estimate(
            name=f"{what}, {name}",
            value=round(value, 3),
            low=low,
            high=high,
            level=CONFIDENCE,
            n=found.n_tasks,
            unit="ratio",
            direction=direction,
            method=f"Pearson, around the {how}",
        )


def _caveats(judged: Judged, agents: Sequence[Agent]) -> Iterator[str]:
    fitted = [item for item in agents if not item.why_not]
    worth = float(np.median([item.attempts.weights.sum() for item in fitted]))
    yield (
        "Runs are weighted as METR does: the runs of a task count as one, the tasks of a family as the root of their "
        f"number. In all an agent's runs count as {worth:.0f} tasks{' (the median)' if len(fitted) > 1 else ''}."
    )
    fewest = min(item.attempts.n_families for item in fitted)
    if FEWEST_FAMILIES <= fewest < ENOUGH_FAMILIES:
        yield f"Intervals from resampling few families (one agent tried {fewest}) are too short."
    if len({_tried(item.attempts) for item in fitted}) > 1:
        yield "Agents did not all try the same tasks: their horizons are of what each tried."
    fractions = sum(item.fractions for item in fitted)
    if fractions:
        runs = sum(int(item.attempts.runs.sum()) for item in fitted)
        yield (
            f"{fractions:,} of {runs:,} scores are fractions. Each counts as so much of a success, and its tasks seem to "
            "differ less than they do."
        )
    spread = [item.dispersion for item in judged.shown if item.dispersion is not None]
    apart = sum(item.ratio_low > 1 for item in spread)
    if apart:
        yield (
            f"For {apart} of {counted(len(spread), 'agent')} tasks of one human time differ by more than chance: how many "
            "tasks were tried is what counts, not how often."
        )


def _missing(judged: Judged) -> Iterator[NotMeasured]:
    top = judged.shown[0].fits
    points = {curve.name: point(top, REFUSED, curve) for curve in judged.rivals}
    there = [minutes for minutes in points.values() if 0 < minutes < np.inf]
    parts = []
    if there:
        parts.append(
            f"for {top.name} curves that may be best put it between {minutes_text(min(there))} and "
            f"{minutes_text(max(there))} minutes"
        )
    if none := [name for name, minutes in points.items() if minutes == 0]:
        parts.append(f"by the {' and the '.join(none)} curve there is none")
    yield NotMeasured(
        what=f"The {REFUSED:.0%} horizon",
        why=f"It depends on the curve that one assumes, not on the runs: {'; '.join(parts)}.",
    )
    if not judged.crossed:
        yield NotMeasured(
            what="Which curve is best",
            why="No agent tried more than one family of tasks: there is none to leave out and predict.",
        )
    for item in judged.shown:
        for found in item.spans:
            name = f"An interval of the {found.level:.0%} horizon of {item.fits.name}"
            if found.both is None:
                families = counted(item.fits.attempts.n_families, "family", "families")
                yield NotMeasured(what=name, why=f"Families are what is resampled, and it tried {families} only.")
            elif found.both.high is None:
                low = f"; it begins at {minutes_text(found.both.low, -1)}" if found.both.low else ""
                yield NotMeasured(
                    what=name, why=f"It ends above the longest task, of {found.longest:,.4g} minutes{low}."
                )
        if item.dispersion is None:
            yield NotMeasured(
                what=f"How much tasks differ for {item.fits.name}",
                why="No task was run twice, or families are too few.",
            )


def _raw(item: Shown) -> dict[str, object]:
    attempts = item.fits.attempts
    return {
        "runs": int(attempts.runs.sum()),
        "tasks": len(attempts.runs),
        "families": attempts.n_families,
        "success": attempts.rate,
        **{f"h{100 * found.level:.0f}": asdict(found) for found in item.spans},
        "curves": {
            fit.curve.name: {
                "loss": fit.loss,
                "held_out": None if fit.held_out is None else float(fit.held_out.sum()),
                **{f"h{100 * level:.0f}": _finite(fit.curve.horizon(fit.theta, level)) for level in LEVELS},
                "shape": fit.curve.shape,
                "shape_value": _finite(fit.curve.shape_of(fit.theta)),
            }
            for fit in item.fits.fits
        },
        "dispersion": None if item.dispersion is None else asdict(item.dispersion),
    }


def _bounds(agents: Sequence[Agent]) -> dict[str, object]:
    return {
        item.name: {
            "why": item.why_not,
            **{f"h{100 * level:.0f}": beyond_bound(item.attempts, level) for level in LEVELS},
        }
        for item in agents
        if item.why_not
    }


def _finite(value: object) -> float | None:
    number = float(np.asarray(value))
    return number if np.isfinite(number) else None


def _tried(attempts: Attempts) -> tuple[tuple[float, int], ...]:
    return tuple(sorted(zip(attempts.minutes.tolist(), attempts.families.tolist(), strict=True)))
