"""What training moved in all voices alike, and who the default voice has become."""

import numpy as np
import pytest
from tests.instruments.personas.planted import WIDTH, activations, named

from dokimasia.core import DataError
from dokimasia.instruments.personas.mapping import draw_map
from dokimasia.instruments.personas.slant import become, slant


def shifted(rng, *, constant=2.0, own=1.0, noise=1.0, roles=20, questions=6):
    """The same replies read by two models: the second less a common shift, a shift a role, and noise."""
    base = rng.normal(size=(roles, questions, WIDTH))
    common = np.zeros(WIDTH)
    common[0] = constant
    each = own * rng.normal(size=(roles, 1, WIDTH)) / np.sqrt(WIDTH)
    return base + common + each + noise * rng.normal(size=base.shape) / np.sqrt(WIDTH), base


def compared(subject, base, traits=()):
    return slant(subject, base, (subject[0], base[0]), scale=1.0, traits=traits)


def test_the_constant_share_is_recovered():
    """The interval holds the planted share of the squared shift in nearly all draws, noise of questions or not."""
    rng = np.random.default_rng(0)
    found = [compared(*shifted(rng)).constant for _ in range(25)]
    assert sum(one.low <= 0.8 <= one.high for one in found) >= 21
    assert np.mean([one.value for one in found]) == pytest.approx(0.8, abs=0.03)
    assert compared(*shifted(rng, constant=0.0)).constant.value < 0.2
    assert compared(*shifted(rng, own=0.0)).constant.low > 0.9


def test_missing_replies_do_not_bias_it():
    """With a third of the replies left out the share is the same within its interval."""
    subject, base = shifted(np.random.default_rng(1))
    subject[np.random.default_rng(2).random(subject.shape[:2]) < 1 / 3] = np.nan
    found = compared(subject, base).constant
    assert found.low < 0.8 < found.high


def test_a_model_against_itself_is_refused():
    """No shift at all is no slant: it says that both are one, instead of dividing by zero."""
    _, base = shifted(np.random.default_rng(3))
    with pytest.raises(DataError, match="these two are one"):
        compared(base, base)
    with pytest.raises(DataError, match="2 roles over 2 questions"):
        compared(base[:1] + 1, base[:1])


def moved(share: float, *, common: float = 0.0, role: int = 5, seed: int = 0):
    """The default voice of a model that was trained so far towards a role, read by the base model, and the base's own map."""
    roles, defaults = activations(np.random.default_rng(seed))
    own = draw_map(
        roles, defaults, names=named(20), default_names=["a", "b", "c"], faults=[[""] * 6] * 20, layer=0, seed=0
    )
    move = share * (roles[role].mean(axis=0) - defaults[0].mean(axis=0))
    noise = 0.5 * np.random.default_rng(seed + 1).normal(size=defaults[0].shape)
    return become(defaults[0] + move + noise + common, defaults[0], own, seed=0)


@pytest.mark.parametrize("share", [1.0, 0.4])
def test_the_planted_role_is_named(share):
    """Whether training went all the way or not, the role that the default voice moved towards comes first."""
    ranks = [moved(share, role=role, seed=role) for role in range(10)]
    assert sum(found.role == f"role {role}" for role, found in enumerate(ranks)) >= 8
    found = ranks[5]
    assert found.ranks[found.roles.index(found.role)].value == 1
    assert sum(found.nearest) == pytest.approx(1)


def test_a_default_voice_that_stayed_names_nobody_for_sure():
    """Without a move no role is first in nearly all draws."""
    found = [moved(0.0, seed=seed) for seed in range(3)]
    assert np.mean([max(one.nearest) for one in found]) < 0.8
    assert all(one.moved.low >= 0 for one in found)
    assert all(rank.low <= rank.value <= rank.high for one in found for rank in one.ranks)
