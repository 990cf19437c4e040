"""The map: planted spaces are found again, and noise is called noise."""

import numpy as np
import pytest
from tests.instruments.personas.planted import SPREADS, activations, named

from dokimasia.core import DataError
from dokimasia.instruments.personas.balanced import Replies, jackknife, participation_ratio
from dokimasia.instruments.personas.mapping import draw_map


def drawn(roles, defaults, *, faults=None, seed=0):
    n = roles.shape[:2]
    return draw_map(
        roles,
        defaults,
        names=named(n[0]),
        default_names=["untold", "helpful", "model"],
        faults=faults or [[""] * n[1]] * n[0],
        layer=5,
        seed=seed,
    )


def test_a_planted_space_is_found():
    """Components, axis and share of noise are those that were planted, and the map is stable."""
    found = drawn(*activations(np.random.default_rng(0), roles=60, questions=8))
    assert np.linalg.norm(found.space.components[0, :5]) > 0.98
    assert abs(found.space.axis[10]) > 0.9
    assert found.told
    assert found.stable
    assert found.stability.worst > 0.9
    assert found.real > 0.9
    assert found.explained.low < 9 / (SPREADS**2).sum() < found.explained.high
    assert found.floor < found.explained.value
    assert len(found.standings) == 3


def test_noise_is_no_map():
    """Roles that differ by nothing but chance make no map, and it is said not to be stable."""
    said = [drawn(*activations(np.random.default_rng(seed), spreads=SPREADS * 0), seed=seed) for seed in range(4)]
    assert sum(found.told for found in said) <= 1
    assert not any(found.stable for found in said)
    assert all(found.participation is None or found.participation.high > found.participation.low for found in said)


def test_dimensions_are_counted_without_noise():
    """The participation ratio's interval holds the planted one though noise and few roles would move the plain ratio."""
    rng = np.random.default_rng(1)
    true = (SPREADS**2).sum() ** 2 / (SPREADS**4).sum()
    inside, plain = 0, []
    for _ in range(60):
        replies = Replies.of(*activations(rng, noise=2.0))
        found = participation_ratio(replies)
        inside += found is not None and found.low <= true <= found.high
        vectors = replies.vectors(replies.even)
        values = np.linalg.svd(vectors - vectors.mean(axis=0), compute_uv=False) ** 2
        plain.append(values.sum() ** 2 / (values**2).sum())
    assert inside >= 50
    assert np.mean(plain) > 1.3 * true


def test_what_questions_contribute_is_taken_out():
    """Adding anything to all replies to a question changes neither components nor places."""
    roles, defaults = activations(np.random.default_rng(2))
    moved = np.random.default_rng(3).normal(size=(1, *roles.shape[1:])) * 10
    one, other = drawn(roles, defaults), drawn(roles + moved, defaults + moved)
    assert one.coordinates == pytest.approx(other.coordinates)
    assert one.standings[0].cosines == pytest.approx(other.standings[0].cosines)
    assert one.stability.questions == pytest.approx(other.stability.questions)


def test_the_default_stands_by_the_role_that_it_is_like():
    """A default voice at a role's place is nearest to it, in nearly all draws."""
    roles, defaults = activations(np.random.default_rng(4))
    defaults[0] += roles[7].mean(axis=0) - defaults[0].mean(axis=0)
    standing = drawn(roles, defaults).standings[0]
    assert int(np.argmax(standing.cosines)) == 7
    assert int(np.argmin(standing.distances)) == 7
    assert standing.nearest[7] > 0.9
    assert sum(standing.nearest) == pytest.approx(1)


def test_the_axis_is_not_judged_by_the_questions_that_drew_it():
    """A default voice in the middle of the roles is above about half of them along the axis, though the axis was drawn to it."""
    above = []
    for seed in range(12):
        roles, defaults = activations(np.random.default_rng(seed), noise=3.0, away=0.0)
        above.append(drawn(roles, defaults, seed=seed).standings[0].axis.value)
    assert 0.25 < np.mean(above) < 0.75


def test_a_role_without_replies_is_left_out_and_named():
    """It is absent with the reason; a role that lacks one reply stays where it was, nearly."""
    roles, defaults = activations(np.random.default_rng(5), noise=0.1)
    whole = drawn(roles, defaults)
    holed = roles.copy()
    holed[3, :4] = np.nan
    holed[4, 0] = np.nan
    faults = [[""] * 6 for _ in range(20)]
    faults[3][:4] = ["looped", "refused", "looped", "looped"]
    found = drawn(holed, defaults, faults=faults)
    assert found.absent == (("role 3", "looped, refused"),)
    assert "role 3" not in found.roles
    row = found.roles.index("role 4")
    assert np.linalg.norm(found.vectors[row] - whole.vectors[4]) < 0.6
    assert np.isfinite(found.vectors).all()


def test_too_little_is_refused():
    """One question, three roles, a mute default voice, roles that all refuse, replies that all read alike: each says so."""
    roles, defaults = activations(np.random.default_rng(6))
    with pytest.raises(DataError, match="2 questions at least"):
        drawn(roles[:, :1], defaults[:, :1])
    with pytest.raises(DataError, match="Found 3"):
        drawn(roles[:3], defaults)
    mute = defaults.copy()
    mute[0] = np.nan
    with pytest.raises(DataError, match="untold"):
        drawn(roles, mute)
    with pytest.raises(DataError, match=r"Found 0, and 20 roles without enough replies \(refused\)"):
        drawn(roles * np.nan, defaults, faults=[["refused"] * 6] * 20)
    with pytest.raises(DataError, match="read alike"):
        drawn(roles * 0, defaults * 0)


def test_the_jackknife_covers_a_mean():
    """For the mean it is Student's interval."""
    values = np.random.default_rng(7).normal(size=12)
    found = jackknife(lambda rows: float(values[rows].mean()), 12)
    reach = 2.2009851600828745 * values.std(ddof=1) / np.sqrt(12)
    assert found == pytest.approx((values.mean(), values.mean() - reach, values.mean() + reach))


def test_missing_replies_make_no_map_of_noise():
    """Where a third of the replies is missing, roles that differ by chance are told as rarely as where none is."""
    told = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        roles, defaults = activations(rng, spreads=SPREADS * 0, roles=16, questions=4)
        roles[rng.random(roles.shape[:2]) < 0.35] = np.nan
        told += drawn(roles, defaults, seed=seed).told
    assert told <= 2


def test_halves_of_the_questions_share_nothing():
    """What a role replied to one half of the questions says nothing of it in the other, where it has no reply."""
    roles, defaults = activations(np.random.default_rng(0), roles=6, questions=4)
    roles[0, 2:] = np.nan
    replies = Replies.of(roles, defaults)
    one, other = (replies.vectors(np.asarray(weights, float)) for weights in ([1, 1, 0, 0], [0, 0, 1, 1]))
    assert one[0].any()
    assert not other[0].any()


@pytest.mark.parametrize("silent", [None, 0])
def test_one_question_that_is_replied_to_is_no_map(silent):
    """A question that no role replies to does not count, whoever of the default voices did."""
    roles, defaults = activations(np.random.default_rng(1), questions=2)
    roles[:, 1] = np.nan
    if silent is not None:
        defaults[0, silent] = np.nan
    with pytest.raises(DataError, match="1 of 2"):
        drawn(roles, defaults)


def test_dimensions_are_no_more_than_there_can_be():
    """An interval without end is cut off at the width of the stream, and no number of a hundred digits."""
    seen = [
        participation_ratio(
            Replies.of(*activations(np.random.default_rng(seed), spreads=np.full(5, 0.25), roles=6, questions=4))
        )
        for seed in range(6)
    ]
    ends = [found.high for found in seen if found is not None]
    assert ends
    assert max(ends) <= 24.001
