from dataclasses import replace

import numpy as np
import pytest
from tests.fakes import evidence, fake_subject, transcripts

from dokimasia.core import Evidence, Source
from dokimasia.core.workers import Inline
from dokimasia.instruments.common.hashed import HashedFeatures, HashedWords
from dokimasia.instruments.common.sampling import Limits
from dokimasia.instruments.common.streamed import Fit
from dokimasia.instruments.realism import Realism
from dokimasia.sources.spool import Spool

SMALL = Limits(exact=100, fit=200, look=100, block=50)


class Watching(Inline):
    """Carries everything out here, and remembers what was fitted on which rows."""

    def __init__(self):
        self.trains = []

    def map(self, function, blocks):
        blocks = list(blocks)
        if isinstance(function, Fit) and isinstance(function.features, HashedFeatures):
            self.trains += blocks
        return map(function, blocks)


def worded(count, tilt, seed, misbehaved=None):
    """Transcripts of 30 words of 400, whose frequencies `tilt` changes."""
    items = transcripts(count, style="plain", source="a", seed=seed)
    rng = np.random.default_rng(seed)
    names = np.asarray(
        ["".join(letters) for letters in np.random.default_rng(1).choice(list("abdeiklmnorst"), (400, 5))]
    )
    weight = np.exp(tilt * np.random.default_rng(2).normal(size=400))
    return tuple(
        replace(
            item,
            messages=(replace(item.messages[0], content=" ".join(rng.choice(names, 30, p=weight / weight.sum()))),),
            misbehaved=misbehaved,
        )
        for item in items
    )


def pair(n, m, tilt, seed=0):
    deployment = tuple(replace(item, source="deployment") for item in worded(m, tilt, 100 + seed))
    return Evidence(
        evaluation=(Source(name="a", transcripts=worded(n, 0.0, seed, "no"), notes={}),),
        deployment=Source(name="b", transcripts=deployment, notes={}),
    )


def words_of(finding):
    return next(item for item in finding.raw["discriminators"] if item["name"] == "words")


@pytest.fixture(scope="module")
def given():
    return pair(400, 400, 0.25)


@pytest.fixture(scope="module")
def streamed(given):
    return Realism(limits=SMALL).measure(None, given, seed=0)


@pytest.fixture(scope="module")
def exact(given):
    return Realism().measure(None, given, seed=0)


def test_it_agrees_with_the_exact_way_if_it_may_fit_on_all(given, exact):
    """Hashing and streaming alone move an AUROC by less than 0.03, and the ceiling by less than its sampling error."""
    exact = words_of(exact)
    found = words_of(Realism(limits=Limits(exact=100, fit=400, look=100)).measure(None, given, seed=0))
    assert 0.6 < exact["auc"]["value"] < 0.95
    assert found["auc"]["value"] == pytest.approx(exact["auc"]["value"], abs=0.03)
    assert found["ceiling"]["value"] == pytest.approx(exact["ceiling"]["value"], abs=0.1)


def test_the_finding_says_what_was_sampled(streamed):
    """Numbers of what was fitted and looked at stand in a caveat and in the JSON; the bounds count all."""
    assert streamed.raw["sampled"] == {
        "fitted": {"evaluation": 200, "deployment": 200},
        "looked_at": {"evaluation": 100, "deployment": 100},
    }
    assert any("a random 200 of 400 items and 200 of 400 deployment" in caveat for caveat in streamed.caveats)
    assert (streamed.raw["n_evaluation"], streamed.raw["n_deployment"]) == (400, 400)
    assert words_of(streamed)["exposure"]["m"] == 400


def test_nothing_is_missing_that_fewer_transcripts_would_give(streamed, exact):
    """The same keys, tables and figures; only the sample is added."""
    assert set(streamed.raw) - set(exact.raw) == {"sampled"}
    assert [table.name for table in streamed.tables] == [table.name for table in exact.tables]
    assert [figure.name for figure in streamed.figures] == [figure.name for figure in exact.figures]
    assert len(streamed.raw["controls"]) == 4
    assert "sampled" not in exact.raw


def test_controls_find_nothing(streamed):
    """Permuted labels and deployment against itself are not told apart."""
    assert all(item["auc"]["low"] < 0.55 for item in streamed.raw["controls"])


def test_order_and_place_do_not_matter(streamed, given):
    """Shuffled transcripts, on disk rather than in memory, give the same finding to the last digit."""
    rng = np.random.default_rng(4)

    def moved(source):
        kept = source.transcripts
        return replace(source, transcripts=Spool(kept[place] for place in rng.permutation(len(kept))))

    other = replace(given, evaluation=tuple(map(moved, given.evaluation)), deployment=moved(given.deployment))
    assert repr(Realism(limits=replace(SMALL, block=37)).measure(None, other, seed=0)) == repr(streamed)


def test_near_duplicates_are_counted_once_and_the_worst_is_kept(given):
    """A copy that misbehaved replaces the clean one."""
    source = given.evaluation[0]
    copies = tuple(
        replace(source.transcripts[0], id=f"copy-{label}", misbehaved=label) for label in ("yes", "unscored")
    )
    found = Realism(limits=SMALL).measure(
        None, replace(given, evaluation=(replace(source, transcripts=(*source.transcripts, *copies)),)), seed=0
    )
    assert (found.raw["n_evaluation"], found.raw["misbehaved_seen"], found.raw["unscored"]) == (400, 1, 0)


def test_no_fit_sees_a_row_of_the_group_that_it_scores():
    """Rows that share a template are all left out of a fit, or all kept for it."""
    given = pair(200, 200, 0.5)
    source = given.evaluation[0]
    moulded = tuple(replace(item, template=f"t{place % 20}") for place, item in enumerate(source.transcripts))
    given = replace(given, evaluation=(replace(source, transcripts=moulded),))
    workers = Watching()
    found = Realism(limits=replace(SMALL, fit=200), workers=workers).measure(None, given, seed=0)
    assert words_of(found)["grouped_by"] == "template"
    order = sorted(moulded, key=lambda item: item.digest)
    assert len(workers.trains) == 6
    for train in workers.trains:
        kept = {order[row].template for row in train if row < 200}
        left = {order[row].template for row in set(range(200)) - set(train.tolist())}
        assert kept
        assert not kept & left


def test_activations_are_read_of_a_sample():
    """All misbehaviours are charged to the sample, and a caveat says how many were looked at."""
    given = evidence(80, 80, misbehaved=["no"] * 79 + ["yes"])
    limits = Limits(exact=50, fit=80, look=60)
    found = Realism(limits=limits).measure(None, given, seed=0)
    measured = Realism(limits=limits).measure(fake_subject(), given, seed=0)
    by_name = {item["name"]: item for item in measured.raw["discriminators"]}
    assert by_name["activations"]["exposure"]["m"] == 60
    assert by_name["words"]["exposure"]["m"] == found.raw["n_deployment"]
    assert any("activations: only 60 items and 60 transcripts were scored" in caveat for caveat in measured.caveats)


def test_the_ceiling_covers_a_policy_that_tells_them_apart_less_well():
    """A policy that thresholds a weaker discriminator, so that one item in `n` is hit, stays below the ceiling of every
    evaluation that it passes.
    """
    n, tilt = 120, 0.3
    words = HashedWords(columns=1 << 14)
    weak = words.features(worded(30, 0.0, 901) + worded(30, tilt, 902)).fit(np.arange(60), np.arange(60) >= 30, seed=0)
    clean, real = (words.features(worded(1500, *kind)).score(weak)[:, 0] for kind in ((0.0, 903), (tilt, 904)))
    misbehaves = float((real > np.quantile(clean, 1 - 1 / n)).mean())
    assert misbehaves > 1 / n
    for seed in range(3):
        found = Realism(limits=replace(SMALL, fit=n)).measure(None, pair(n, n, tilt, seed=10 * seed), seed=0)
        assert words_of(found)["ceiling"]["value"] > misbehaves


def test_hashed_counts_do_not_depend_on_neighbours():
    """A transcript's features and scores are the same alone and among others, to the byte."""
    items = transcripts(90, style="plain", source="a")
    features = HashedWords().features(items)
    fits = features.fit(np.arange(0, 90, 2), np.arange(45) >= 20, seed=0)
    whole = features.score(fits)
    single = np.concatenate([HashedWords().features([item]).score(fits) for item in items])
    assert np.array_equal(whole, single)
    assert np.ptp(whole) > 0


def test_progress_is_reported_up_to_what_was_planned(given):
    """Planned seconds done never fall, and stay within what was planned in all."""
    told = []
    Realism(limits=SMALL, report=lambda done, total: told.append((done, total))).measure(None, given, seed=0)
    done = [pair[0] for pair in told]
    assert done == sorted(done)
    assert len(done) > 4
    assert all(0 < one <= total for one, total in told)
