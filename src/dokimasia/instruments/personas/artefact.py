"""A persona map on disk, for other tools: its vectors as safetensors, all else as JSON, both under a checksum.

The checksums show damage and careless edits. They are no signature: whoever rewrites both files can make them fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dokimasia.core import SubjectError
from dokimasia.instruments.common.kept import Kind, broken, keep, kept
from dokimasia.instruments.personas.space import Space
from dokimasia.models.tensorfiles import tensor_bytes, tensors_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

KIND = Kind(
    name="persona map",
    layout=1,
    record="personas.json",
    tensors="personas.safetensors",
    again="Draw and save it again",
    source="Name a folder that was written by `dokimasia personas --out`.",
)
NAMED = ("roles", "defaults", "traits")


@dataclass(frozen=True, kw_only=True, eq=False)
class Atlas:
    """Everything that was drawn at one layer of one model.

    `role_vectors`, `default_vectors` and `trait_vectors` have axes (n_names, d_model); those of roles and default voices
    are mean activations over replies, those of traits point towards the trait. `personas` is the digest of the set that
    they were drawn with, `subject` that of the model.
    """

    space: Space
    roles: tuple[str, ...]
    role_vectors: NDArray[np.float64]
    defaults: tuple[str, ...]
    default_vectors: NDArray[np.float64]
    traits: tuple[str, ...]
    trait_vectors: NDArray[np.float64]
    subject: str
    subject_name: str
    personas: str
    questions: int
    seed: int
    stable: bool

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """By key, float32."""
        found = {
            "roles": self.role_vectors,
            "defaults": self.default_vectors,
            "traits": self.trait_vectors,
            "centre": self.space.centre,
            "axis": self.space.axis,
            "components": self.space.components,
        }
        return {name: np.asarray(values, np.float32) for name, values in found.items()}


PLAIN = tuple(
    field.name
    for field in fields(Atlas)
    if field.name not in ("space", "role_vectors", "default_vectors", "trait_vectors")
)


def save(atlas: Atlas, folder: Path) -> None:
    """Write it into a folder; the same map gives the same bytes, and the record comes last."""
    record = {
        **{name: getattr(atlas, name) for name in PLAIN},
        "layer": atlas.space.layer,
        "scale": atlas.space.scale,
        "versions": {"dokimasia": metadata.version("dokimasia"), "numpy": np.__version__},
    }
    keep(folder, KIND, record, tensor_bytes(atlas.arrays()))


def load(folder: Path, *, digest: str) -> Atlas:
    """The map in a folder, if it was drawn of the model with this digest (`subject.identity.digest`)."""
    record, data = kept(folder, KIND)
    try:
        atlas = _atlas(record, tensors_of(data))
    except (ValueError, KeyError, TypeError) as error:
        raise broken(folder, KIND, f"It makes no map: {error!r}") from error
    if atlas.subject != digest:
        raise SubjectError(
            f"{folder}: the model that this map was drawn of is expected, with the digest {atlas.subject[:12]}.",
            f"Found a model with the digest {digest[:12]}.",
            "Draw a map of this model: another model's directions mean nothing in it.",
        )
    return atlas


def _atlas(record: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Atlas:
    """The map that these say; numbers that nothing could be placed with are errors."""
    values = {name: np.asarray(array, np.float64) for name, array in arrays.items()}
    width = len(values["centre"])
    for name in NAMED:
        if values[name].shape != (len(record[name]), width):
            raise ValueError(f"{name} have the shape {values[name].shape}")
    if values["axis"].shape != (width,) or values["components"].shape[1:] != (width,):
        raise ValueError("axis or components have another width")
    scale = float(record["scale"])
    if not scale > 0 or not all(np.isfinite(array).all() for array in values.values()):
        raise ValueError("not all numbers are finite, or the scale is not positive")
    return Atlas(
        space=Space(
            layer=int(record["layer"]),
            centre=values["centre"],
            axis=values["axis"],
            components=values["components"],
            scale=scale,
        ),
        role_vectors=values["roles"],
        default_vectors=values["defaults"],
        trait_vectors=values["traits"],
        roles=tuple(record["roles"]),
        defaults=tuple(record["defaults"]),
        traits=tuple(record["traits"]),
        **{name: record[name] for name in PLAIN if name not in NAMED},
    )
