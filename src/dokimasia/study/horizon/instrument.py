"""How long are the tasks that each agent can do? Runs in, finding out; no model is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dokimasia.core import Access, Cost, DataError, Evidence, Finding, Subject, UserError
from dokimasia.core.rounding import counted
from dokimasia.sources.runs import ANY, Columns, Runs, Tally, read_runs
from dokimasia.study.alone import measure_alone
from dokimasia.study.horizon.judging import Agent
from dokimasia.study.horizon.telling import tell
from dokimasia.study.progress import Watch
from dokimasia.study.run import Study
from dokimasia.theory.horizons import CURVES, Attempts, fit_agent
from dokimasia.theory.horizons.comparing import MOST_FOLDS

FEWEST_TASKS = 5
FEWEST_TIMES = 3
FEWEST_REPLICATES = 200
SECONDS_A_FIT = 1.5e-6
"""For one task, one curve and one weighting, on one processor; used for estimates only."""


def horizon(
    runs: str | Path | Runs,
    *,
    columns: Columns = ANY,
    only: Sequence[str] = (),
    without: Sequence[str] = (),
    replicates: int = 500,
    seed: int = 0,
    run: str | Path | None = None,
    watch: Watch | None = None,
) -> Finding:
    """How long are the tasks that each agent can do, in human time?

    `runs` is a table (JSON Lines, CSV, Parquet) with a row for each run: agent, task, family of the task, human minutes and
    score. `only` and `without` choose agents by name. Nothing is stored unless `run` names a folder, which can then be
    reported and verified like any other run.
    """
    table = runs if isinstance(runs, Runs) else read_runs(Path(runs), columns)
    instrument = Horizon(runs=_chosen(table, only, without), replicates=replicates)
    study = Study(
        subject=None,
        evidence=Evidence(),
        instruments=(instrument,),
        options={
            "runs": table.name,
            "digest": table.digest,
            "rows": table.rows,
            "columns": dict(table.columns),
            "only": list(only),
            "without": list(without),
            "replicates": replicates,
        },
        seed=seed,
    )
    return measure_alone(study, run=run, watch=watch)


@dataclass(frozen=True, kw_only=True)
class Horizon:
    """How long are the tasks that each agent can do, in human time?

    Parameters
    ----------
    runs:
        What was read, of the agents that are asked about.
    replicates:
        How often families of tasks are resampled.
    """

    runs: Runs
    replicates: int = 500
    name: str = "horizon"
    version: str = "1"
    question: str = "How long are the tasks that each agent can do, in human time?"

    @property
    def access(self) -> Access:
        return "none"

    def plan(self, subject: Subject | None, evidence: Evidence) -> Cost:
        if self.replicates < FEWEST_REPLICATES:
            raise DataError(
                f"At least {FEWEST_REPLICATES} replicates are expected.", f"Found {self.replicates}.", "Ask for more."
            )
        weightings = self.replicates + min(MOST_FOLDS, len({item.family for item in self.runs.tallies}))
        return Cost(seconds=1.0 + SECONDS_A_FIT * len(CURVES) * weightings * len(self.runs.tallies))

    def measure(self, subject: Subject | None, evidence: Evidence, *, seed: int) -> Finding:
        families = {name: place for place, name in enumerate(sorted({item.family for item in self.runs.tallies}))}
        by_agent: dict[str, list[Tally]] = {}
        for tally in self.runs.tallies:
            by_agent.setdefault(tally.agent, []).append(tally)
        agents = [_agent(name, tallies, families) for name, tallies in by_agent.items()]
        fits = [
            fit_agent(item.name, item.attempts, n_replicates=self.replicates, seed=seed)
            for item in agents
            if not item.why_not
        ]
        return tell(
            instrument=self.name,
            version=self.version,
            question=self.question,
            agents=agents,
            fits=fits,
            runs=self.runs,
            replicates=self.replicates,
            seed=seed,
        )


def _agent(name: str, tallies: Sequence[Tally], families: dict[str, int]) -> Agent:
    attempts = Attempts(
        minutes=np.array([item.minutes for item in tallies]),
        runs=np.array([item.runs for item in tallies]),
        successes=np.array([item.score for item in tallies]),
        families=np.array([families[item.family] for item in tallies]),
    )
    tasks, times = len(tallies), len(np.unique(attempts.minutes))
    why_not = ""
    if (attempts.rates == 1).all():
        why_not = "Every run succeeded."
    elif (attempts.rates == 0).all():
        why_not = "Every run failed."
    elif tasks < FEWEST_TASKS:
        why_not = f"It tried {counted(tasks, 'task')}; a curve needs {FEWEST_TASKS} or more."
    elif times < FEWEST_TIMES:
        why_not = f"Its tasks take {counted(times, 'human time')}; a curve needs {FEWEST_TIMES} different ones or more."
    return Agent(name=name, attempts=attempts, fractions=sum(item.fractions for item in tallies), why_not=why_not)


def _chosen(runs: Runs, only: Sequence[str], without: Sequence[str]) -> Runs:
    """The runs of these agents."""
    there = sorted({item.agent for item in runs.tallies})
    unknown = [name for name in (*only, *without) if name not in there]
    kept = [name for name in there if (not only or name in only) and name not in without]
    if unknown or not kept:
        raise UserError(
            "The name of an agent of this table is expected." if unknown else "At least one agent is expected.",
            f"Found {', '.join(map(repr, unknown))}." if unknown else "Found none: all were left out.",
            f"There are: {', '.join(there)}.",
        )
    tallies = tuple(item for item in runs.tallies if item.agent in kept)
    return Runs(name=runs.name, rows=sum(item.runs for item in tallies), tallies=tallies, columns=runs.columns)
