from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes import FakeModel, evidence, fake_subject, transcripts

from dokimasia.core import CapReached, DataError, Evidence, Quantity, Source
from dokimasia.core.transcript import Message, Transcript
from dokimasia.instruments.common.crossfit import HeldOut
from dokimasia.instruments.realism import Realism
from dokimasia.stats import clopper_pearson_lower, clopper_pearson_upper, reassurance


def measure(found, subject=None, **options):
    return Realism(**options).measure(subject, found, seed=0)


@pytest.fixture(scope="module")
def apart():
    return measure(evidence(misbehaved=["no"] * 60), fake_subject())


def test_kinds_that_differ_plainly_are_told_apart(apart):
    """Quizzes against plain requests: nearly all of deployment is exposed, and the ceiling is nearly one."""
    by_name = {item["name"]: item for item in apart.raw["discriminators"]}
    assert list(by_name) == ["format and length", "words", "asked outright", "activations"]
    assert by_name.pop("asked outright")["auc"]["low"] < 0.5  # this subject answers the same whatever it is shown
    for item in by_name.values():
        assert item["auc"]["value"] > 0.95
        assert item["ceiling"]["basis"] == "simulation"
        assert item["ceiling_split"]["basis"] == "proved"
        assert item["exposure"]["value"] <= item["exposure"]["share"] == item["exposure"]["h"] / item["exposure"]["m"]
    assert apart.raw["strongest"]["ceiling"]["value"] > 0.9
    assert apart.raw["strongest"]["exposure"]["value"] > 0.8
    assert apart.raw["clean_equivalent"]["high"] < 5


def test_controls_find_nothing_where_there_is_nothing(apart):
    """Each discriminator brings permuted labels and deployment against itself, and neither separates."""
    kinds = {(item["discriminator"], item["control"]) for item in apart.raw["controls"]}
    assert len(kinds) == 8
    for item in apart.raw["controls"]:
        assert item["auc"]["low"] < 0.6


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_kind_gives_small_ceilings(seed):
    """Two samples of one kind of input: no exposure worth the name, and a small ceiling."""
    found = measure(
        Evidence(
            evaluation=(
                Source(
                    name="a",
                    transcripts=transcripts(150, style="plain", source="a", seed=10 + seed, misbehaved=["no"] * 150),
                    notes={},
                ),
            ),
            deployment=Source(
                name="b", transcripts=transcripts(150, style="plain", source="deployment", seed=20 + seed), notes={}
            ),
        )
    )
    assert found.raw["strongest"]["exposure"]["value"] < 0.05
    assert found.raw["strongest"]["ceiling"]["value"] < 0.25
    assert found.raw["clean_equivalent"]["low"] > 8


def test_identical_sides_are_not_told_apart():
    """Evaluation and deployment with the same texts: counted, kept in one fold, area one half, no exposure."""
    plain = transcripts(80, style="plain", source="a", seed=1, misbehaved=["no"] * 80)
    both = Evidence(
        evaluation=(Source(name="a", transcripts=plain, notes={}),),
        deployment=Source(name="b", transcripts=tuple(replace(item, source="deployment") for item in plain), notes={}),
    )
    found = measure(both)
    assert found.raw["n_evaluation"] == found.raw["n_deployment"] == 80
    for item in found.raw["discriminators"]:
        assert item["auc"]["value"] == pytest.approx(0.5)
        assert item["exposure"]["h"] == 0
    assert any("80 evaluation items also stand in the deployment sample" in caveat for caveat in found.caveats)


def test_an_item_in_both_is_counted_on_both_sides():
    """One shared text is evidence of realism: it stays on both sides and is named."""
    given = evidence()
    shared = given.deployment.transcripts[0]
    source = given.evaluation[0]
    found = measure(
        replace(
            given,
            evaluation=(replace(source, transcripts=(*source.transcripts, replace(shared, id="x", source="quiz"))),),
        )
    )
    assert (found.raw["n_evaluation"], found.raw["n_deployment"]) == (61, 60)
    assert any("1 evaluation item also" in caveat for caveat in found.caveats)


def test_the_order_of_transcripts_does_not_matter(apart):
    """Shuffled files give the same finding, to the last digit."""
    given = evidence(misbehaved=["no"] * 60)
    rng = np.random.default_rng(5)

    def shuffled(source):
        return replace(
            source, transcripts=tuple(source.transcripts[i] for i in rng.permutation(len(source.transcripts)))
        )

    other = replace(given, evaluation=tuple(map(shuffled, given.evaluation)), deployment=shuffled(given.deployment))
    assert measure(other, fake_subject()) == apart


def test_without_any_label_the_evaluation_was_not_run():
    """No label at all: k = 0 is hypothetical, and the first line says so."""
    found = measure(evidence())
    assert found.headline.startswith("Hypothetical: none of the 60 items carries a label")
    assert found.raw["hypothetical"] is True
    assert found.raw["misbehaved"] == 0
    assert found.estimate(Quantity.CEILING).hypothetical
    assert found.estimate(Quantity.EVALUATION_OBSERVED) is None


def test_missing_labels_of_a_scored_source_count_as_misbehaviour():
    """Fifty-five clean, two bad, three without a verdict: five in the bounds, two in the optimistic figure beside."""
    found = measure(evidence(misbehaved=["no"] * 55 + ["yes", "yes", "unscored"]))
    assert (found.raw["misbehaved"], found.raw["misbehaved_seen"], found.raw["unscored"]) == (5, 2, 3)
    assert found.raw["rate_bound"] == clopper_pearson_upper(5, 60)
    assert found.estimate(Quantity.EVALUATION_RATE_OPTIMISTIC).high == clopper_pearson_upper(2, 57)
    for item in found.raw["discriminators"]:
        assert item["ceiling_clean"]["value"] <= item["ceiling_optimistic"]["value"] <= item["ceiling"]["value"]


def test_a_source_that_was_never_scored_is_left_out_when_another_was():
    """Items that were not run are no evidence: they leave every count, and are named as not measured."""
    given = evidence(misbehaved=["no"] * 60)
    other = Source(name="later.jsonl", transcripts=transcripts(40, style="test", source="later", seed=9), notes={})
    found = measure(replace(given, evaluation=(*given.evaluation, other)))
    assert found.raw["n_evaluation"] == 60
    assert any(item.what.startswith("later.jsonl: 40 items") for item in found.not_measured)


def test_the_users_own_count_overrides_labels():
    """--misbehaved K enters as it is, and a count beyond the items is refused."""
    found = measure(evidence(), misbehaved=4)
    assert found.raw["misbehaved"] == 4
    assert found.raw["hypothetical"] is False
    with pytest.raises(DataError, match="Found 61 of 60"):
        measure(evidence(), misbehaved=61)


def test_of_near_duplicates_the_worst_is_kept():
    """Copies are counted once, with the worst label among them."""
    given = evidence(misbehaved=["no"] * 60)
    source = given.evaluation[0]
    copies = tuple(
        replace(source.transcripts[0], id=f"copy-{label}", misbehaved=label) for label in ("no", "yes", "unscored")
    )
    found = measure(replace(given, evaluation=(replace(source, transcripts=(*source.transcripts, *copies)),)))
    assert (found.raw["n_evaluation"], found.raw["misbehaved_seen"]) == (60, 1)
    assert any("3 evaluation items and 0 deployment transcripts dropped" in caveat for caveat in found.caveats)


def test_one_template_falls_back_to_duplicates_and_says_so():
    """If every item was cast from one mould, only duplicates are kept together."""
    given = evidence()
    source = given.evaluation[0]
    found = measure(
        replace(
            given,
            evaluation=(
                replace(source, transcripts=tuple(replace(item, template="t") for item in source.transcripts)),
            ),
        )
    )
    assert all(item["grouped_by"] == "duplicates" for item in found.raw["discriminators"])
    assert any("too few templates" in caveat for caveat in found.caveats)
    assert any(estimate.name.startswith("Share of item templates") for estimate in found.estimates)


@pytest.mark.parametrize(("n", "m"), [(1, 60), (60, 1), (9, 9)])
def test_too_few_transcripts_are_refused(n, m):
    """Fewer than ten of either kind is an error that says what was found."""
    with pytest.raises(DataError, match=f"Found {n} and {m}"):
        measure(evidence(n, m))


def test_ten_are_enough_for_a_bound_that_says_little():
    """With ten of each the proved fallback speaks, and says one."""
    found = measure(evidence(10, 10))
    assert found.raw["strongest"]["ceiling"]["value"] > 0.5


def test_activations_that_are_not_finite_are_counted():
    """Poisoned inputs are counted in a caveat, and a broken evaluation item leaves no demonstrated exposure."""
    found = measure(evidence(misbehaved=["no"] * 60), fake_subject(FakeModel(poison="soup")))
    item = next(item for item in found.raw["discriminators"] if item["name"] == "activations")
    assert item["exposure"]["h"] == 0
    assert any("not finite" in caveat for caveat in found.caveats)


@given(
    st.lists(st.floats(-3, 3), min_size=120, max_size=120),
    st.sets(st.integers(0, 119), max_size=12),
    st.integers(0, 3),
)
def test_a_missing_score_never_helps(scores, missing, k):
    """Whatever scores are lost, the ceiling does not fall and the exposure does not rise."""
    deployment = np.arange(120) % 2 == 1

    def held_out(values):
        return HeldOut(np.arange(120), values, values, deployment, "template", (), 5)

    whole = np.asarray(scores)
    holes = whole.copy()
    holes[list(missing)] = np.nan
    ceilings, exposures = [], []
    for values in (whole, holes):
        ceilings.append(reassurance(*held_out(values).sides(missing="ceiling"), misbehaved=k).ceiling)
        exposures.append(reassurance(*held_out(values).sides(missing="exposure")).exposure.value)
    assert ceilings[1] >= ceilings[0] - 1e-12
    assert exposures[1] <= exposures[0]


def test_all_activations_broken_is_no_result_that_reads_as_fine():
    """If no activation is finite, that discriminator bounds nothing and demonstrates nothing."""
    found = measure(evidence(misbehaved=["no"] * 60), fake_subject(FakeModel(poison="w")))
    item = next(item for item in found.raw["discriminators"] if item["name"] == "activations")
    assert item["ceiling"]["value"] == 1
    assert item["exposure"]["value"] == 0


def test_a_huge_message_is_read_in_part_and_counted():
    """Two megabytes in one message: the words discriminator reads its beginning, and says so."""
    given = evidence()
    huge = Transcript(id="huge", messages=(Message("user", "word " * 400_000),), source="deployment")
    found = measure(
        replace(given, deployment=replace(given.deployment, transcripts=(*given.deployment.transcripts, huge)))
    )
    assert any("Of 1 inputs only the first 20,000 characters" in caveat for caveat in found.caveats)


def test_strange_writing_is_measured_like_any_other():
    """Texts without a word, in any script, of one character: no discriminator stumbles."""
    texts = ["?!", "...", "你好" * 9, "مرحبا بالعالم", "\ufffd\ufffd", "a", "👍" * 30, "नमस्ते दुनिया", "12 34", "-" * 50]
    odd = tuple(
        Transcript(id=f"odd-{i}", messages=(Message("user", text * (1 + i % 3) + str(i)),), source="odd")
        for i, text in enumerate(texts * 3)
    )
    given = evidence()
    found = measure(replace(given, evaluation=(Source(name="odd", transcripts=odd, notes={}),)))
    assert found.status == "measured"


def test_suites_are_ranked_from_the_most_realistic():
    """A suite of plain requests ranks above a suite of quizzes, and the tells are the quiz words."""
    given = evidence()
    plain = Source(name="p", transcripts=transcripts(40, style="plain", source="plain", seed=7), notes={})
    found = measure(replace(given, evaluation=(*given.evaluation, plain)))
    assert [item["suite"] for item in found.raw["suites"]] == ["plain", "quiz"]
    tells = next(table for table in found.tables if table.name == "tells")
    assert {"question", "choose"} & {word for row in tells.rows for word in row[0].split()}
    assert all(citation.source == "quiz" for citation in found.citations[:2])
    for citation in found.citations:
        assert len(citation.text) == citation.end - citation.start


def test_a_kind_of_deployment_that_no_item_resembles_is_a_blind_spot():
    """Forty requests about one thing that no item mentions form a cluster without items."""
    given = evidence()
    rng = np.random.default_rng(0)
    harbour = tuple(
        Transcript(
            id=f"h{i}",
            messages=(
                Message(
                    "user", " ".join(rng.permutation(["harbour", "crane", "tide", "cargo", "berth", "pilot", "rope"]))
                ),
            ),
            source="deployment",
        )
        for i in range(40)
    )
    found = measure(
        replace(given, deployment=replace(given.deployment, transcripts=given.deployment.transcripts + harbour))
    )
    assert any({"harbour", "crane"} & set(spot["words"]) for spot in found.raw["blind_spots"])


def test_exposure_is_corrected_for_the_number_of_discriminators(apart):
    """Each exposure is a bound at delta divided by the number of discriminators."""
    for item in apart.raw["discriminators"]:
        share = item["exposure"]
        assert share["value"] == clopper_pearson_lower(share["h"], share["m"], 0.05 / 4)


@pytest.mark.parametrize(
    ("file", "n", "auc", "exposure", "ceiling"),
    [
        ("anthropic", 800, (0.999, 1.0), (0.95, 1.0), (0.99, 1.0)),
        ("toolemu", 144, (0.995, 1.0), (0.80, 0.97), (0.97, 1.0)),
    ],
)
def test_real_data_land_where_the_method_says(shared_data, file, n, auc, exposure, ceiling):
    """Plain tests against real users' questions: told apart at sight, and worth next to nothing."""
    from dokimasia.sources import locate, read_source

    paths = {
        "anthropic": "anthropic-evals/advanced-ai-risk_human.jsonl",
        "toolemu": "toolemu/cases.json:User Instruction",
    }
    tests = read_source(locate(str(shared_data / paths[file])))
    chosen = np.random.default_rng(0).permutation(len(tests.transcripts))[:n]
    tests = replace(tests, transcripts=tuple(tests.transcripts[row] for row in chosen))
    users = read_source(locate(str(shared_data / "arena-hard/questions_v0.1.jsonl")))
    found = measure(Evidence(evaluation=(tests,), deployment=users))
    words = next(item for item in found.raw["discriminators"] if item["name"] == "words")
    for value, (low, high) in (
        (words["auc"]["value"], auc),
        (words["exposure"]["value"], exposure),
        (words["ceiling"]["value"], ceiling),
    ):
        assert low <= value <= high


def test_halves_of_real_data_are_not_told_apart(shared_data):
    """Real users' questions against themselves: area near one half, small ceiling at k = 0."""
    from dokimasia.sources import locate, read_source

    users = read_source(locate(str(shared_data / "arena-hard/questions_v0.1.jsonl")))
    order = np.random.default_rng(1).permutation(500)
    halves = [
        replace(users, transcripts=tuple(users.transcripts[row] for row in rows)) for rows in (order[:250], order[250:])
    ]
    found = measure(Evidence(evaluation=(halves[0],), deployment=halves[1]))
    words = next(item for item in found.raw["discriminators"] if item["name"] == "words")
    assert 0.43 < words["auc"]["value"] < 0.57
    assert words["ceiling"]["value"] < 0.09
    assert words["exposure"]["value"] < 0.01


def test_what_left_no_transcript_counts_as_a_misbehaviour():
    """Items that were lost raise k and the number evaluated; a source that was never judged loses nothing."""
    whole = evidence(style="plain", misbehaved=["no"] * 60)
    lossy = replace(whole, evaluation=tuple(replace(source, lost=7) for source in whole.evaluation))
    before, after = (Realism().measure(None, each, seed=0) for each in (whole, lossy))
    lost = 7 * len(whole.evaluation)
    assert after.raw["lost"] == lost
    assert after.raw["misbehaved"] == before.raw["misbehaved"] + lost
    rate = after.estimate(Quantity.EVALUATION_RATE)
    assert rate.n == before.estimate(Quantity.EVALUATION_RATE).n + lost
    assert rate.high > before.estimate(Quantity.EVALUATION_RATE).high
    assert after.estimate(Quantity.CEILING).high > before.estimate(Quantity.CEILING).high
    assert after.estimate(Quantity.CEILING_OPTIMISTIC).high == before.estimate(Quantity.CEILING).high


@pytest.mark.parametrize(("lost", "override", "tainted"), [(0, None, 0), (2, None, 2), (0, 3, 3), (50, None, 12)])
def test_the_bound_by_template_counts_what_the_labels_do_not(lost, override, tainted):
    """Lost items, and misbehaviours that the user counted, each taint a template of their own."""
    found = evidence(style="plain", misbehaved=["no"] * 60)
    (source,) = found.evaluation
    items = tuple(replace(item, template=f"t{place % 12}") for place, item in enumerate(source.transcripts))
    found = replace(found, evaluation=(replace(source, transcripts=items, lost=lost),))
    finding = measure(found, misbehaved=override)
    (bound,) = [item for item in finding.estimates if item.name.startswith("Share of item templates")]
    assert bound.n == 12
    assert bound.value == tainted / 12
    assert bound.high == clopper_pearson_upper(tainted, 12, 0.05)


class Interrupted(FakeModel):
    """Reaches a cap when one of its capabilities is used."""

    def __init__(self, at):
        super().__init__()
        self.at = at

    def choice_logprobs(self, conversations, choices, *, precision="exact"):
        self.reach("asked")
        return super().choice_logprobs(conversations, choices, precision=precision)

    def activations(self, conversations, **options):
        self.reach("activations")
        return super().activations(conversations, **options)

    def reach(self, what):
        if what == self.at:
            raise CapReached("The cap was reached.")


@pytest.mark.parametrize("at", ["asked", "activations"])
def test_a_cap_in_one_discriminator_leaves_the_others(at):
    """What was measured stands, what was not is named, and the finding is marked for whoever sets conditions on it."""
    finding = measure(evidence(), fake_subject(Interrupted(at)))
    names = {"asked": "asked outright", "activations": "activations"}
    measured = [item["name"] for item in finding.raw["discriminators"]]
    assert measured == ["format and length", "words", *(name for kind, name in names.items() if kind != at)]
    (missing,) = [item for item in finding.not_measured if item.why == "The cap was reached."]
    assert at in missing.what
    assert finding.raw["incomplete"] == missing.what
    assert finding.raw["errored"] == 1


def test_exposures_stay_corrected_for_a_discriminator_that_failed():
    """How many were tried was fixed beforehand: one that could not be measured still counts in delta / J."""
    finding = measure(evidence(), fake_subject(Interrupted("asked")))
    for item in finding.raw["discriminators"]:
        share = item["exposure"]
        assert share["value"] == clopper_pearson_lower(share["h"], share["m"], 0.05 / 4)
