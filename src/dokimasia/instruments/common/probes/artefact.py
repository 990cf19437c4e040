"""A probe on disk: its numbers as safetensors, all else as JSON, both under a checksum; read without torch or pickle.

The checksums show damage and careless edits. They are no signature: whoever rewrites both files can make them fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dokimasia.core import SubjectError
from dokimasia.instruments.common.kept import Kind, broken, keep, kept
from dokimasia.instruments.common.probes.data import Site
from dokimasia.instruments.common.probes.probe import Probe
from dokimasia.instruments.common.probes.reading import Reading
from dokimasia.instruments.common.probes.scale import Scale
from dokimasia.models.tensorfiles import tensor_bytes, tensors_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

KIND = Kind(
    name="probe",
    layout=1,
    record="probe.json",
    tensors="probe.safetensors",
    again="Fit and save it again",
    source="Name a folder that `save` wrote.",
)
PLAIN = tuple(name for name in Probe.__dataclass_fields__ if name not in ("site", "reading", "scale"))


def save(probe: Probe, folder: Path) -> None:
    """Write the probe into a folder; the same probe gives the same bytes, and the record comes last."""
    reading = probe.reading
    arrays = {"weights": reading.weights, "bias": np.asarray([reading.bias])}
    if reading.query is not None:
        arrays["query"] = reading.query
    record = {
        **{name: getattr(probe, name) for name in PLAIN},
        "versions": dict(probe.versions),
        "site": asdict(probe.site),
        "scale": asdict(probe.scale),
    }
    keep(folder, KIND, record, tensor_bytes(arrays))


def load(folder: Path, *, digest: str) -> Probe:
    """The probe in a folder, if it was fitted on the model with this digest (`subject.identity.digest`)."""
    record, data = kept(folder, KIND)
    try:
        probe = _probe(record, tensors_of(data))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise broken(folder, KIND, f"It makes no probe: {error!r}") from error
    if probe.subject != digest:
        raise SubjectError(
            f"{folder}: the model that this probe was fitted on is expected, with the digest {probe.subject[:12]}.",
            f"Found a model with the digest {digest[:12]}.",
            "Fit a probe on this model: another model's directions mean nothing in it.",
        )
    return probe


def _probe(record: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Probe:
    """The probe that these say; numbers that nothing could be read with are errors."""
    weights, bias, query = arrays["weights"], float(arrays["bias"][0]), arrays.get("query")
    scale = Scale(**{name: float(record["scale"][name]) for name in Scale.__dataclass_fields__})
    rows = [weights] if query is None else [weights, query]
    if weights.ndim != 1 or any(row.shape != weights.shape for row in rows) or scale.spread <= 0:
        raise ValueError("shapes or spread are wrong")
    if not np.isfinite(np.concatenate([*rows, np.asarray([bias, *asdict(scale).values()])])).all():
        raise ValueError("not all numbers are finite")
    return Probe(
        site=Site(layer=record["site"]["layer"], pools=tuple(record["site"]["pools"])),
        reading=Reading(weights=weights, bias=bias, query=query),
        scale=scale,
        **{name: record[name] for name in PLAIN},
    )
