"""One instrument alone: measured in passing, or kept in a run folder with a report."""

from __future__ import annotations

from pathlib import Path

from dokimasia.core import Finding
from dokimasia.study.progress import Silent, Watch
from dokimasia.study.reporting import rendered
from dokimasia.study.run import Study, carry_out, stamped
from dokimasia.study.store import RunFolder


def measure_alone(study: Study, *, run: str | Path | None, watch: Watch | None) -> Finding:
    """The finding of a study's only instrument; with `run` it is stored there, and a rerun asks the model nothing twice."""
    (instrument,), (planned,) = study.instruments, study.costs().values()
    watch = watch or Silent()
    if run is None:
        watch.begin(instrument.name, planned.seconds)
        return stamped(instrument.measure(study.subject, study.evidence, seed=study.seed), study)
    folder = RunFolder(Path(run))
    with folder.opened():
        (finding,) = carry_out(study, folder, watch)
        for name, data in rendered(folder).items():
            folder.write(name, data)
    return finding
