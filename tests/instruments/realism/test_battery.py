"""Who joins the battery, what each is charged with, and what is said where one cannot be tried."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.fakes import FakeModel, evidence, fake_subject, transcripts

from dokimasia.core import (
    DataError,
    Embeddings,
    EnvironmentFault,
    Identity,
    Quantity,
    Subject,
    SubjectError,
    TrainedClassifier,
)
from dokimasia.instruments.common.sampling import Limits, some
from dokimasia.instruments.realism import Realism
from dokimasia.stats import clopper_pearson_upper

NAMES = ["format and length", "words", "sentence embeddings", "asked outright", "activations", "fine-tuned"]


class Embedder:
    """Embeds a text by its topic alone, in a direction that nothing depends on."""

    def __init__(self, error=None):
        self.error, self.texts = error, []

    def embed(self, texts):
        if self.error is not None:
            raise self.error
        self.texts += texts
        values = [[len(text) % 7, len(text) % 5, 1.0] for text in texts]
        return Embeddings(values=np.asarray(values, np.float32), truncated=0)


class Pupil:
    """Learns how often each label goes with `Question`, and scores by that; remembers its lessons."""

    def __init__(self, error=None):
        self.error, self.lessons, self.scored = error, [], []

    def train_classifier(self, examples, training, *, folder):
        if self.error is not None:
            raise self.error
        self.lessons.append((examples, folder, folder.parent.is_dir()))
        quiz = [item.label for item in examples if "Question" in item.messages[-1].content]
        other = [item.label for item in examples if "Question" not in item.messages[-1].content]
        learnt = np.mean(quiz or [0.5]), np.mean(other or [0.5])
        return TrainedClassifier(classifier=Scores(self, learnt), folder=folder, losses=(0.7, 0.5, 0.2, 0.1))


class Scores:
    def __init__(self, pupil, learnt):
        self.pupil, self.learnt = pupil, learnt

    def log_odds(self, conversations):
        self.pupil.scored.append(list(conversations))
        noise = np.random.default_rng(len(conversations)).normal(size=len(conversations)) / 100
        return noise + [self.learnt["Question" not in messages[-1].content] for messages in conversations]


def embedding_model(embedder):
    identity = Identity(name="vectors", digest="v" * 8, parameters=1_000_000, dtype="none", threads=1)
    return Subject(identity=identity, embedder=embedder)


def whole(pupil, embedder=None, **options):
    """The subject with all access, and the instrument that uses it."""
    subject = replace(fake_subject(), trainable=pupil)
    return subject, Realism(embedder=embedding_model(embedder or Embedder()), fine_tune=True, **options)


def measured(subject, instrument, found=None):
    return instrument.measure(subject, found or evidence(40, 40, misbehaved=["no"] * 40), seed=0)


def by_name(finding):
    return {item["name"]: item for item in finding.raw["discriminators"]}


@pytest.fixture(scope="module")
def pupil():
    return Pupil()


@pytest.fixture(scope="module")
def finding(pupil):
    return measured(*whole(pupil))


def test_all_six_are_reported_from_outside_in(finding):
    """Each has a row in the tables, a curve, and a place in the figure of controls; access is the most that was used."""
    assert [item["name"] for item in finding.raw["discriminators"]] == NAMES
    assert finding.access == "training"
    curves = [series.name for series in finding.figure("reassurance-curve").series if series.style == "step"]
    assert curves == NAMES
    assert set(NAMES) <= set(finding.figure("discriminators").rows)
    assert not [item for item in finding.not_measured if "tell" in item.what]


def test_the_fine_tuned_subject_is_counted_on_rows_that_it_never_saw(finding, pupil):
    """One half teaches, the other is scored; n and m are those of the scored half."""
    (examples, _, _), scored = pupil.lessons[0], pupil.scored[0]
    taught = {item.messages for item in examples}
    assert not taught & set(scored)
    assert len(examples) + len(scored) == 80
    tuned = by_name(finding)["fine-tuned"]
    assert tuned["n"] + tuned["m"] == len(scored)
    assert tuned["exposure"]["m"] == tuned["m"]
    assert tuned["ceiling"]["basis"] == "proved"
    assert tuned["ceiling_split"] is None


def test_the_fine_tuned_control_is_taught_permuted_labels(finding, pupil):
    """The second lesson has the rows of the first, other labels, and nothing to find."""
    (real, one, _), (chance, two, _) = pupil.lessons
    assert [item.messages for item in real] == [item.messages for item in chance]
    assert [item.label for item in real] != [item.label for item in chance]
    assert one != two
    (control,) = [item for item in finding.raw["controls"] if item["discriminator"] == "fine-tuned"]
    assert control["control"] == "permuted labels"
    assert control["auc"]["low"] < 0.5
    assert any("Deployment against itself was not tried" in caveat for caveat in finding.caveats)


def test_templates_never_straddle_the_halves():
    """Items of one mould are all taught or all scored."""
    pupil = Pupil()
    found = evidence(misbehaved=["no"] * 60)
    (source,) = found.evaluation
    moulded = tuple(replace(item, template=f"t{place % 12}") for place, item in enumerate(source.transcripts))
    measured(*whole(pupil), replace(found, evaluation=(replace(source, transcripts=moulded),)))
    mould = {item.messages: item.template for item in moulded}
    taught = {mould[item.messages] for item in pupil.lessons[0][0] if item.messages in mould}
    scored = {mould[messages] for messages in pupil.scored[0] if messages in mould}
    assert taught
    assert scored
    assert not taught & scored


def test_all_misbehaviours_are_charged_to_the_scored_half():
    """Nobody knows in which half a model misbehaves: the half's ceiling takes all, and the rate counts all items."""
    clean = measured(*whole(Pupil()))
    bad = measured(*whole(Pupil()), evidence(40, 40, misbehaved=["no"] * 37 + ["yes"] * 3))
    assert bad.raw["rate_bound"] == clopper_pearson_upper(3, 40)
    tuned, before = by_name(bad)["fine-tuned"], by_name(clean)["fine-tuned"]
    assert tuned["ceiling"]["value"] >= tuned["ceiling_clean"]["value"]
    assert tuned["ceiling_clean"]["value"] == before["ceiling_clean"]["value"]
    assert any(caveat.startswith("Fine-tuned: only ") for caveat in bad.caveats)


class Clairvoyant(Pupil):
    """Tells what nothing else can: who stands in the list."""

    def __init__(self, members):
        super().__init__()
        self.members = members

    def train_classifier(self, examples, training, *, folder):
        real = np.mean([item.label == (item.messages in self.members) for item in examples]) > 0.9
        return TrainedClassifier(classifier=Seeing(self.members if real else ()), folder=folder, losses=(0.7, 0.1))


class Seeing:
    def __init__(self, members):
        self.members = members

    def log_odds(self, conversations):
        noise = np.random.default_rng(0).normal(size=len(conversations)) / 100
        return noise + [float(tuple(messages) in self.members) for messages in conversations]


@pytest.fixture(scope="module")
def clairvoyant():
    found = evidence(style="plain", misbehaved=["no"] * 60)
    return measured(*whole(Clairvoyant({item.messages for item in found.deployment.transcripts})), found)


def test_the_strongest_counts_and_says_what_it_rests_on(clairvoyant):
    """Where only the fine-tuned subject tells the two apart, the bounds are its own, of the half that it scored."""
    tuned = by_name(clairvoyant)["fine-tuned"]
    assert clairvoyant.raw["strongest"]["name"] == "fine-tuned"
    assert by_name(clairvoyant)["words"]["auc"]["value"] < 0.7
    ceiling, exposure = clairvoyant.estimate(Quantity.CEILING), clairvoyant.estimate(Quantity.EXPOSURE)
    assert (ceiling.n, ceiling.high) == (tuned["n"], tuned["ceiling"]["value"])
    assert "half that was not trained on" in ceiling.method
    assert "proved" in ceiling.method
    assert exposure.n == tuned["m"]
    assert f"all {tuned['n']} items that were scored" in clairvoyant.headline
    assert "shows nothing on these" in clairvoyant.headline
    assert any("Of those that scored all," in caveat for caveat in clairvoyant.caveats)


def test_a_part_that_was_told_no_better_does_not_count():
    """Asked about few and telling nothing, it leaves more open for want of items alone: it is shown and does not count."""
    found = evidence(100, 100, style="plain", misbehaved=["no"] * 100)
    finding = measured(fake_subject(), Realism(limits=Limits(ask=12)), found)
    few = by_name(finding)["asked outright"]
    strongest = finding.raw["strongest"]
    assert few["n"] == 12
    assert few["ceiling"]["value"] > strongest["ceiling"]["value"]
    assert strongest["name"] != "asked outright"
    assert finding.estimate(Quantity.CEILING).n == 100
    assert any("does not count: it scored 12 of 100 items" in caveat for caveat in finding.caveats)


def test_the_same_few_are_drawn_whatever_else_is_there():
    """A sample by content: another order, or rows of another instrument, and the same transcripts."""
    rows = transcripts(50, style="plain", source="s")
    one = some(rows, np.arange(50), 10, seed=0)
    back = some(rows[::-1], np.arange(50), 10, seed=0)
    assert {rows[row].id for row in one} == {rows[::-1][row].id for row in back}
    assert {rows[row].id for row in some(rows, np.arange(50), 10, seed=1)} != {rows[row].id for row in one}


def test_suites_are_ranked_by_a_discriminator_that_scored_them_all(clairvoyant):
    """Half the items would rank suites by chance: whoever scored all of them does it, and is named."""
    (suite,) = clairvoyant.raw["suites"]
    assert suite["n"] == 60
    assert "fine-tuned" not in clairvoyant.table("suites").note


def test_what_is_learnt_is_kept_only_if_asked(pupil):
    """Without a folder nothing is left behind; with one, what is learnt lies below it."""
    assert [there for _, _, there in pupil.lessons] == [True, True]
    assert not any(folder.parent.exists() for _, folder, _ in pupil.lessons)
    other = Pupil()
    measured(*whole(other, folder=Path("kept")))
    assert all(folder.parent == Path("kept") for _, folder, _ in other.lessons)


@pytest.mark.parametrize(
    "error",
    [
        SubjectError("The loss is expected to be finite.", "It is nan.", "Lower the learning rate."),
        EnvironmentFault("Memory ran out at step 3."),
    ],
    ids=["diverged", "memory"],
)
def test_a_training_that_fails_leaves_the_others(error):
    """What could not be taught is named with the reason, and a rerun tries again."""
    found = measured(*whole(Pupil(error)))
    assert list(by_name(found)) == NAMES[:-1]
    assert found.not_measured[0].why == str(error)
    assert found.raw["errored"] == 1
    assert "fine-tuned" in found.raw["incomplete"]


def test_an_embedder_that_fails_leaves_the_others():
    """Damaged weights cost one discriminator."""
    found = measured(*whole(Pupil(), Embedder(SubjectError("Weights are expected.", "None.", "Install them."))))
    assert list(by_name(found)) == [name for name in NAMES if name != "sentence embeddings"]


@pytest.mark.parametrize(
    ("lacking", "what", "why"),
    [
        ({"logprobs": None, "text": None}, "asked outright", "neither writes nor shows"),
        ({"activations": None}, "activations", "no access to them"),
        ({"trainable": None}, "fine-tuned", "cannot be trained"),
    ],
    ids=["asked", "activations", "trainable"],
)
def test_what_a_subject_lacks_is_said(lacking, what, why):
    """No discriminator is left out in silence; the finding is complete all the same."""
    subject, instrument = whole(Pupil())
    found = measured(replace(subject, **lacking), instrument)
    assert list(by_name(found)) == [name for name in NAMES if name != what]
    (missing,) = [item for item in found.not_measured if what in item.what]
    assert why in missing.why
    assert "incomplete" not in found.raw


def test_what_nobody_asked_for_or_brought_is_said():
    """Without an embedder its reason stands there; without leave to train, that nobody asked; without a subject, all."""
    subject, _ = whole(Pupil())
    found = measured(subject, Realism(without_embedder="It is not installed. Install it."))
    reasons = {item.what: item.why for item in found.not_measured}
    assert "It is not installed. Install it." in reasons.values()
    assert "Nobody asked for it." in reasons.values()
    alone = measured(None, Realism())
    assert list(by_name(alone)) == NAMES[:2]
    assert any("No subject was given" in item.why for item in alone.not_measured)


def test_the_dear_ones_look_at_fewer_and_say_so():
    """Asked and fine-tuned look at so many a side however few there are; the others at all."""
    pupil = Pupil()
    found = by_name(measured(*whole(pupil, limits=Limits(ask=30))))
    assert (found["asked outright"]["n"], found["asked outright"]["m"]) == (30, 30)
    assert found["fine-tuned"]["n"] + found["fine-tuned"]["m"] + len(pupil.lessons[0][0]) == 60
    assert all(found[name]["n"] == 40 for name in ("words", "sentence embeddings", "activations"))


def test_all_six_are_measured_where_transcripts_are_very_many():
    """Beyond the limit, format and words score all; embeddings and activations a sample; the dear ones a part of it."""
    limits = Limits(exact=50, fit=80, look=60, ask=40)
    subject, instrument = whole(Pupil(), limits=limits)
    found = measured(subject, instrument, evidence(90, 90, misbehaved=["no"] * 90))
    sizes = {name: (item["n"], item["m"]) for name, item in by_name(found).items()}
    assert list(sizes) == NAMES
    n = found.raw["n_evaluation"], found.raw["n_deployment"]
    assert sizes["words"] == sizes["format and length"] == n
    assert sizes["sentence embeddings"] == sizes["activations"] == (60, 60)
    assert sizes["asked outright"] == (40, 40)
    assert sum(sizes["fine-tuned"]) <= 40
    assert any("Sentence embeddings, activations: only 60 items and 60 transcripts" in item for item in found.caveats)
    assert any("Asked outright: only 40 items and 40 transcripts" in item for item in found.caveats)


def test_a_plan_counts_what_each_adds():
    """Fine-tuning and asking are the dearest; more paraphrases cost more; planning does no work."""
    found = evidence()
    model, pupil, embedder = FakeModel(), Pupil(), Embedder()
    subject = replace(fake_subject(model), trainable=pupil)
    subject = replace(subject, identity=replace(subject.identity, parameters=135_000_000))

    def seconds(subject, **options):
        return Realism(**options).plan(subject, found).seconds

    alone = seconds(None)
    with_vectors = seconds(None, embedder=embedding_model(embedder))
    inside = seconds(replace(subject, logprobs=None, text=None))
    asked = seconds(subject)
    more = seconds(subject, paraphrases=6)
    trained = seconds(subject, fine_tune=True)
    assert alone < with_vectors
    assert alone < inside < asked < more
    assert trained - asked > 3 * (asked - inside)
    assert model.calls == len(pupil.lessons) == len(embedder.texts) == 0


def test_an_embedder_is_replaced_like_a_judge():
    """Whoever records answers is given the embedder to record; without one there is nothing to do."""
    instrument = Realism(embedder=embedding_model(Embedder()))
    seen = []
    other = embedding_model(Embedder())

    def prepared(subject):
        seen.append(subject)
        return other

    assert instrument.consulting(prepared).embedder is other
    assert seen == [instrument.embedder]
    none = Realism()
    assert none.consulting(prepared) is none


@pytest.mark.parametrize("paraphrases", [0, 7])
def test_there_are_six_paraphrases(paraphrases):
    """Asking in none would measure nothing, and there is no seventh."""
    with pytest.raises(DataError, match="1 to 6 paraphrases"):
        measured(fake_subject(), Realism(paraphrases=paraphrases))
