"""What is seen inside a subject, and what it is changed into, is recorded as well: nothing is computed twice."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.fakes import evidence
from tests.study.inside import LAYERS, SITES, Inside, inside, talks

from dokimasia.core import (
    Add,
    CapReached,
    Example,
    LabelledConversation,
    Message,
    ReplyLogProb,
    Sampling,
    Span,
    TokenContrast,
    Training,
)
from dokimasia.instruments.anomalies import Anomalies
from dokimasia.instruments.realism import Realism
from dokimasia.models import load_subject
from dokimasia.study.activation_store import PART
from dokimasia.study.limits import LAST_QUESTION, Limits, Meter
from dokimasia.study.recording import record
from dokimasia.study.recording.packing import packed, unpacked
from dokimasia.study.store import RunFolder


@pytest.fixture
def folder(tmp_path):
    opened = RunFolder(tmp_path / "run")
    with opened.opened():
        yield opened


def recorded(model, folder, report=lambda seconds, found: None, meter=None):
    return record(inside(model), folder, report, meter)


def test_rows_are_found_whatever_the_batches_and_sites(folder):
    """Two instruments that ask for other layers in other batches compute no site of any conversation twice."""
    model, everything = Inside(), talks(150)
    requests = [(everything[start : start + 64], (1, 3), ("last", "mean")) for start in range(0, 150, 64)] + [
        (everything[start : start + 50][::-1], (0, 1, 2, 3), ("mean", "last")) for start in range(0, 150, 50)
    ]
    for conversations, layers, pools in requests:
        subject = recorded(model, folder)
        asked = {"layers": layers, "pools": pools, "max_tokens": 100}
        found, plain = (one.activations(conversations, **asked) for one in (subject.activations, Inside()))
        assert found.values.tobytes() == plain.values.tobytes()
        assert (found.truncated, found.truncated_rows) == (plain.truncated, plain.truncated_rows)
        assert (found.layers, found.pools) == (layers, pools)
    assert set(model.sites.values()) == {1}
    assert len(model.sites) == 150 * 4 * 2
    assert subject.activations.n_layers == LAYERS


def test_real_instruments_share_their_rows(folder):
    """Realism reads every second layer, anomalies all: what realism read is not read again."""
    model, given = Inside(), evidence(40, 60)
    for instrument in (Realism(every_layer=2), Anomalies(every_layer=1), Realism(every_layer=2)):
        subject = recorded(model, folder)
        assert instrument.measure(subject, given, seed=0).status == "measured"
    assert set(model.sites.values()) == {1}
    assert len(model.sites) == 100 * LAYERS * 2


def test_a_second_run_finds_what_the_first_stored(tmp_path):
    """After the folder was closed and opened again, the model is asked nothing."""
    for model in (Inside(), Inside(break_at=1)):
        folder = RunFolder(tmp_path / "run")
        with folder.opened():
            found = recorded(model, folder).activations.activations(talks(30), **SITES)
    assert found.truncated_rows == (3, 10, 17, 24)


def test_planned_seconds_are_reported_once(folder):
    """What is computed and what is found add up to what was planned, in parts."""
    told = []
    for _ in range(2):
        subject = recorded(Inside(), folder, lambda seconds, found: told.append((found, seconds)))
        subject.activations.activations(talks(2 * PART), **SITES)
    computed = [seconds for found, seconds in told if not found]
    assert len(computed) == 2
    assert sum(computed) == pytest.approx(sum(seconds for found, seconds in told if found))
    assert sum(computed) > 0


def test_a_cap_stops_a_capture_between_parts(folder):
    """What was computed before the cap is kept, and a larger cap computes the rest."""
    clock = [0.0]

    def tick():
        clock[0] += 10.0

    model = Inside(told=tick)
    meter = Meter(Limits(max_time=35.0 / LAST_QUESTION), clock=lambda: clock[0])
    with pytest.raises(CapReached, match="cap of"):
        recorded(model, folder, meter=meter).activations.activations(talks(6 * PART), **SITES)
    assert model.batches == [PART] * 3
    assert meter.refused
    recorded(model, folder).activations.activations(talks(6 * PART), **SITES)
    assert model.batches == [PART] * 6
    assert set(model.sites.values()) == {1}


def test_what_is_seen_inside_comes_back_exactly(folder):
    """Spans, lens, gradients and embeddings are asked once; every number returns to the last bit, NaN and infinity too."""
    model, given = Inside(), talks(2)
    spans = [[Span(message=0)], [Span(message=0, start=0, end=2), Span(message=0)]]
    objectives = [ReplyLogProb(reply="yes"), TokenContrast(towards="a", away="b")]
    rounds = []
    for _ in range(2):
        subject = recorded(model, folder)
        rounds.append(
            (
                subject.spans.span_activations(given, spans, layers=(0, 2), max_tokens=9),
                subject.lens.logit_lens(given, layers=(0, 2), top=2),
                subject.gradients.embedding_gradients(given, objectives),
                subject.embedder.embed(["a", "b"]),
            )
        )
    assert _exactly(rounds[0]) == _exactly(rounds[1])
    assert set(model.questions.values()) == {1}
    subject.spans.span_activations(given, spans[::-1], layers=(0, 2), max_tokens=9)
    subject.lens.logit_lens(given, layers=(0, 2), top=2, position=-2)
    subject.gradients.embedding_gradients(given, [TokenContrast(towards="b", away="a")] * 2)
    subject.embedder.embed(["b", "a"])
    assert set(model.questions.values()) == {2}, "another question is another answer"


def _exactly(value):
    """All types, shapes and bits of a value."""
    plain, arrays = packed(value)
    return repr(plain), [(name, array.dtype, array.shape, array.tobytes()) for name, array in arrays.items()]


@pytest.mark.parametrize("plain", [{"text": "a", "tokens": []}, {"Identity": {}}, {"array": "x"}, {"Generation": 1}])
def test_what_was_not_packed_here_is_refused(plain):
    """Only answers come out of a record, and nothing else is made of it."""
    with pytest.raises((KeyError, TypeError, ValueError)):
        unpacked([plain], {})


def test_a_steered_subject_is_recorded_and_kept_apart(folder):
    """Under its own digest: nothing asked twice, nothing mixed with the model's own answers, steered again or not."""
    model, add = Inside(), [Add(layer=1, vector=np.ones(5))]
    for _ in range(2):
        subject = recorded(model, folder)
        once = subject.steerable.steered(add)
        twice = once.steerable.steered(add)
        for one in (subject, once, twice):
            one.text.generate(talks(3), Sampling(), seeds=range(3))
            one.activations.activations(talks(3), **SITES)
            one.lens.logit_lens(talks(3), layers=(1,))
    assert len({one.identity.digest for one in (subject, once, twice)}) == 3
    assert model.calls == 2 * 3
    assert model.questions["lens"] == 3
    assert set(model.sites.values()) == {3}


def test_what_is_trained_is_recorded_in_the_run_folder(folder):
    """A new subject and classifiers are asked each thing once, and are never taken for one another."""
    model, training, told = Inside(), Training(steps=1), []
    examples = [Example(messages=(Message("user", "a"),), reply="b")]
    labelled = [LabelledConversation(messages=(Message("user", "a"),), label=True)]
    for again in (0, 1):
        trainable = recorded(model, folder, lambda seconds, found: told.append((seconds > 0, found))).trainable
        trained = trainable.train(examples, training, folder=Path("told"))
        assert trained.folder == folder.path / "trained" / "told"
        assert told.pop() == (True, bool(again))
        trained.subject.text.generate(talks(3), Sampling(), seeds=range(3))
        one = trainable.train_classifier(labelled, training, folder=Path("one"))
        other = trainable.train_classifier(labelled * 2, training, folder=folder.path.parent / "elsewhere")
        assert other.folder == folder.path.parent / "elsewhere"
        odds = [each.classifier.log_odds(talks(2)) for each in (one, other)]
        loaded = trainable.load_classifier(Path("one")).log_odds(talks(2))
        assert (loaded == odds[0]).all()
        assert (odds[0] != odds[1]).all()
        assert loaded.dtype == np.float64
    assert model.calls == 1
    assert model.questions["odds"] == 2
    (folder.path / "trained" / ".one.half").mkdir()
    (folder.path / "trained" / ".one.half" / "training.json").touch()
    assert [name for name in folder.recorded() if "one" in name] == ["trained/one/training.json"]


def test_nothing_is_trained_behind_a_cap(folder):
    """Once the time is spent, a training is not begun."""
    clock = iter([0.0, *[100.0] * 9])
    model = Inside()
    trainable = recorded(model, folder, meter=Meter(Limits(max_time=10.0), clock=lambda: next(clock))).trainable
    with pytest.raises(CapReached):
        trainable.train([Example(messages=(Message("user", "a"),), reply="b")], Training(steps=1), folder=Path("x"))
    assert not model.questions


def test_records_of_an_earlier_layout_are_not_used(folder):
    """Answers written as plain values, activations among them, are left alone or asked again; nothing breaks."""
    model = Inside()
    subject = recorded(model, folder)
    first = subject.text.generate(talks(2), Sampling(), seeds=range(2))
    (path,) = (folder.path / "calls").glob("*.npz")
    folder.save_call(path.stem, [{"text": "x", "tokens": [1], "logprobs": [0.0]}], {})
    folder.save_call("0" * 32, 3, {"values": np.zeros((2, 1, 1, 5), np.float32)})
    assert subject.text.generate(talks(2), Sampling(), seeds=range(2)) == first
    assert model.calls == 2
    assert subject.text.generate(talks(2), Sampling(), seeds=range(2)) == first
    assert model.calls == 2


def test_a_real_model_answers_from_its_record(tiny, tmp_path):
    """All that a transformer is asked is the same from the record, where no model is."""
    subject = load_subject(tiny("llama"))
    given = [[Message("user", "hello there")], [Message("user", "a longer question")]]

    class Gone:
        def __getattr__(self, name):
            pytest.fail(f"asked again: {name}")

    gone = dict.fromkeys(("text", "logprobs", "activations", "spans", "lens", "gradients"), Gone())
    answers = []
    for there in (subject, replace(subject, **gone)):
        folder = RunFolder(tmp_path / "run")
        with folder.opened():
            one = record(there, folder, lambda seconds, found: None)
            answers.append(
                _exactly(
                    [
                        one.text.generate(given, Sampling(max_tokens=3), seeds=(0, 1)),
                        one.logprobs.prompt_logprobs(given),
                        one.logprobs.choice_logprobs(given, [["a", "b"], ["c"]]),
                        one.activations.activations(given, layers=(0, 2), pools=("mean",), max_tokens=64).values,
                        one.spans.span_activations(given, [[Span(message=0)]] * 2, layers=(1,), max_tokens=64),
                        one.lens.logit_lens(given, layers=(0, 2), top=3),
                        one.gradients.embedding_gradients(given, [ReplyLogProb(reply="a")] * 2),
                    ]
                )
            )
    assert answers[0] == answers[1]
