"""Time horizons of runs: all curves, cross-validation and resampling, against one fit of METR's curve by scikit-learn."""

import json
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from dokimasia.study.horizon import horizon
from dokimasia.theory.horizons import CURVES

PUBLISHED = Path(__file__).parents[2] / "shared" / "data" / "metr" / "all_runs_2025-01-22.jsonl"
REPLICATES = 200
AT_MOST = 180.0
AGENTS, FAMILIES, TASKS, RUNS = 11, 36, 83, 8


def write(path):
    """As many runs as METR published in January 2025, for want of the file."""
    rng = np.random.default_rng(0)
    minutes = np.exp(rng.uniform(0, 7.2, TASKS)).round(3)
    harder = rng.normal(size=TASKS)
    with path.open("w") as file:
        for agent in range(AGENTS):
            for task in range(TASKS):
                success = 1 / (1 + np.exp(0.6 * (np.log(minutes[task]) - 1 - agent / 3) + harder[task]))
                for _ in range(RUNS):
                    row = {
                        "agent": f"agent {agent}",
                        "task": f"task {task}",
                        "family": f"family {task % FAMILIES}",
                        "minutes": minutes[task],
                        "score": int(rng.random() < success),
                    }
                    file.write(json.dumps(row) + "\n")


def one_fit(path):
    """CPU seconds of one fit of one agent's runs by a general solver, run by run."""
    rows = [json.loads(line) for line in path.open()]
    first = rows[0].get("alias", rows[0].get("agent"))
    own = [row for row in rows if row.get("alias", row.get("agent")) == first]
    x = np.log2([[row.get("human_minutes", row.get("minutes"))] for row in own])
    y = [row.get("score_binarized", row["score"]) for row in own]
    start = time.process_time()
    for _ in range(10):
        LogisticRegression(C=1e6).fit(x, y)
    return (time.process_time() - start) / 10


def run():
    with tempfile.TemporaryDirectory() as folder:
        path = PUBLISHED
        if not path.is_file():
            path = Path(folder) / "runs.jsonl"
            write(path)
        start = time.process_time()
        finding = horizon(path, replicates=REPLICATES)
        seconds = time.process_time() - start
        agents = len(finding.raw["agents"])
        fits = agents * len(CURVES) * (1 + FAMILIES + REPLICATES)
        single = one_fit(path)
    yield (
        f"{finding.raw['runs']:,} runs of {agents} agents, {len(CURVES)} curves, {REPLICATES} replicates, {fits:,} fits in "
        f"{seconds:.1f} s of CPU, {1e3 * seconds / fits:.2f} ms a fit; one by scikit-learn takes {1e3 * single:.2f} ms "
        f"(limit: {AT_MOST:.0f} s)",
        seconds <= AT_MOST,
    )


if __name__ == "__main__":
    for line, kept in run():
        print(line, "kept" if kept else "MISSED")
