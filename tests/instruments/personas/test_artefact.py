"""The saved map: whole, checked, and readable by anybody."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file

from dokimasia.core import SubjectError, UserError
from dokimasia.instruments.personas.artefact import KIND, Atlas, load, save
from dokimasia.instruments.personas.space import Space


def atlas() -> Atlas:
    rng = np.random.default_rng(0)
    return Atlas(
        space=Space(layer=3, centre=rng.normal(size=8), axis=np.eye(8)[0], components=np.eye(8)[:2], scale=2.5),
        roles=("bard", "queen"),
        role_vectors=rng.normal(size=(2, 8)),
        defaults=("default",),
        default_vectors=rng.normal(size=(1, 8)),
        traits=(),
        trait_vectors=np.empty((0, 8)),
        subject="d" * 64,
        subject_name="tiny",
        personas="p" * 64,
        questions=4,
        seed=7,
        stable=False,
    )


def test_what_is_saved_is_loaded(tmp_path):
    """Names, layer, scale and provenance come back as they were, numbers in float32; the same map gives the same bytes."""
    save(atlas(), tmp_path / "one")
    save(atlas(), tmp_path / "two")
    found, given = load(tmp_path / "one", digest="d" * 64), atlas()
    assert (found.roles, found.defaults, found.traits) == (given.roles, given.defaults, given.traits)
    assert (found.space.layer, found.space.scale, found.seed, found.stable) == (3, 2.5, 7, False)
    assert found.role_vectors == pytest.approx(given.role_vectors, abs=1e-6)
    values = np.ones((3, 8))
    assert found.space.along(values) == pytest.approx(given.space.along(values), abs=1e-6)
    for name in (KIND.tensors, KIND.record):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_other_tools_can_load_it(tmp_path):
    """The documented keys are plain safetensors, named by a plain JSON file."""
    save(atlas(), tmp_path)
    arrays, record = load_file(tmp_path / KIND.tensors), json.loads((tmp_path / KIND.record).read_text())
    assert set(arrays) == {"roles", "defaults", "traits", "centre", "axis", "components"}
    assert arrays["roles"].shape == (len(record["roles"]), 8)
    assert record["layer"] == 3
    assert record["subject"] == "d" * 64


def test_damage_is_seen(tmp_path):
    """An edited record, another file of tensors, another layout and another model are refused."""
    save(atlas(), tmp_path)
    with pytest.raises(SubjectError, match="another model's directions"):
        load(tmp_path, digest="e" * 64)
    record = (tmp_path / KIND.record).read_text()
    (tmp_path / KIND.record).write_text(record.replace("2.5", "2.6"))
    with pytest.raises(UserError, match="does not match its checksum"):
        load(tmp_path, digest="d" * 64)
    (tmp_path / KIND.record).write_text(record.replace('"layout": 1', '"layout": 9'))
    with pytest.raises(UserError, match="Found 9"):
        load(tmp_path, digest="d" * 64)
    (tmp_path / KIND.record).write_text(record)
    (tmp_path / KIND.tensors).write_bytes((tmp_path / KIND.tensors).read_bytes()[:-4] + b"\x00\x00\x80\x7f")
    with pytest.raises(UserError, match="does not match its checksum"):
        load(tmp_path, digest="d" * 64)
    with pytest.raises(UserError, match="expected to hold a persona map"):
        load(tmp_path / "nowhere", digest="d" * 64)


def test_numbers_that_place_nothing_are_refused(tmp_path):
    """A record and tensors that fit one another but make no map are errors, too."""
    broken = atlas()
    save(replace(broken, space=replace(broken.space, scale=0.0)), tmp_path)
    with pytest.raises(UserError, match="makes no map"):
        load(tmp_path, digest="d" * 64)
    save(replace(broken, roles=("bard",)), tmp_path)
    with pytest.raises(UserError, match="makes no map"):
        load(tmp_path, digest="d" * 64)


def test_a_file_in_the_way_is_said(tmp_path):
    """A folder that cannot be made is the user's to put right."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="Name another one"):
        save(atlas(), tmp_path / "file")
