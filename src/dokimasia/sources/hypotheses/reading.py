"""A file of hypotheses as values: what it must hold is checked, and what it holds besides is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from dokimasia.core import DataError, SourceError
from dokimasia.sources.documents import read_document
from dokimasia.theory.selection import Hypotheses, Hypothesis, Outcome, Situation

LARGEST = 1 << 20
PARTS = frozenset({"training", "deployment", "hypotheses", "outcomes", "note"})
NEEDED = frozenset({"name", "prior", "reward", "misbehaves"})


def families() -> Hypotheses:
    """Five families of the literature: aligned, intended by process, kludge, reward seeker, schemer; numbers made up."""
    with resources.as_file(resources.files("dokimasia.sources.hypotheses") / "families.yaml") as path:
        return read_hypotheses(Path(path))


def read_hypotheses(path: Path) -> Hypotheses:
    """The hypotheses of a file: `training`, `deployment` and `hypotheses`; `outcomes` and a `note` may be left out."""
    data = read_document(path, "a file of hypotheses")
    if not isinstance(data, dict) or not {"training", "deployment", "hypotheses"} <= data.keys() <= PARTS:
        found = ", ".join(map(str, data)) if isinstance(data, dict) else type(data).__name__
        raise SourceError(
            f"{path}: the parts training, deployment and hypotheses (and outcomes, note) are expected.",
            f"Found: {found or 'nothing'}.",
            "Start from the example in the documentation.",
        )
    training = _situations(path, "training", data["training"])
    deployment = _situations(path, "deployment", data["deployment"])
    rows = data["hypotheses"]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SourceError(
            f"{path}: hypotheses as a list of records is expected.", f"Found {_kind(rows)}.", "Give each one a name."
        )
    try:
        return Hypotheses(
            training=training,
            deployment=deployment,
            hypotheses=tuple(_hypothesis(path, row, training, deployment) for row in rows),
            outcomes=_outcomes(path, data.get("outcomes") or {}),
            note=str(data.get("note") or ""),
        )
    except DataError as error:
        raise SourceError(f"{path}: {error.expected}", error.found, error.do) from error


def _situations(path: Path, part: str, found: Any) -> tuple[Situation, ...]:
    if not isinstance(found, dict):
        raise SourceError(
            f"{path}: {part} as situations with their shares is expected.",
            f"Found {_kind(found)}.",
            "Write NAME: SHARE.",
        )
    return tuple(
        Situation(name=str(name), share=_number(path, f"{part}, {name}", share)) for name, share in found.items()
    )


def _outcomes(path: Path, found: Any) -> tuple[Outcome, ...]:
    if not isinstance(found, dict):
        raise SourceError(
            f"{path}: outcomes with what they lead to are expected.", f"Found {_kind(found)}.", "Write NAME: [OUTCOME]."
        )
    return tuple(
        Outcome(name=str(name), leads_to=_texts(path, f"outcome {name}", after or [])) for name, after in found.items()
    )


def _hypothesis(
    path: Path, row: Mapping[str, Any], training: Sequence[Situation], deployment: Sequence[Situation]
) -> Hypothesis:
    name = str(row.get("name", "a hypothesis"))
    if not row.keys() >= NEEDED or not row.keys() <= NEEDED | {"wants"}:
        raise SourceError(
            f"{path}: {name}: the fields {', '.join(sorted(NEEDED))} (and wants) are expected.",
            f"Found {', '.join(map(str, row))}.",
            "Add those that are missing, and leave out any other.",
        )
    return Hypothesis(
        name=name,
        prior=_number(path, f"{name}, prior", row["prior"]),
        reward=_each(path, f"{name}, reward", row["reward"], training),
        misbehaves=_each(path, f"{name}, misbehaves", row["misbehaves"], deployment),
        wants=_texts(path, f"{name}, wants", row.get("wants") or []),
    )


def _each(path: Path, what: str, found: Any, situations: Sequence[Situation]) -> tuple[float, ...]:
    """One number for each situation, from a list in their order or from a record by their names."""
    names = [item.name for item in situations]
    if isinstance(found, dict):
        given = {str(name): value for name, value in found.items()}
        if set(given) != set(names):
            odd = sorted(set(given) ^ set(names))
            raise SourceError(
                f"{path}: {what}: a number for each of {', '.join(names)} is expected.",
                f"Missing or unknown: {', '.join(odd)}.",
                "Mend the names.",
            )
        found = [given[name] for name in names]
    if not isinstance(found, list):
        raise SourceError(
            f"{path}: {what}: {len(names)} numbers are expected.", f"Found {_kind(found)}.", "Write a list."
        )
    return tuple(_number(path, what, value) for value in found)


def _texts(path: Path, what: str, found: Any) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise SourceError(f"{path}: {what}: a list of names is expected.", f"Found {_kind(found)}.", "Write [NAME].")
    return tuple(found)


def _number(path: Path, what: str, value: Any) -> float:
    if isinstance(value, bool) or not (isinstance(value, int | float) and -LARGEST < value < LARGEST):
        raise SourceError(f"{path}: {what}: a number is expected.", f"Found {value!r}.", "Write for example 0.25.")
    return float(value)


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {str(value)[:40]!r}"
