"""Replies token by token: the same as whole ones, with the stream that chose each token, and nothing left behind."""

import threading

import numpy as np
import pytest
import torch
from tests.tiny import MORE_ARCHITECTURES, save_tiny

from dokimasia.core import Add, Message, Sampling, SubjectError, TooLong
from dokimasia.models import load_subject
from dokimasia.models.loading import Loading
from dokimasia.models.rendering import Rendering
from dokimasia.models.streaming import TokenStreams, _Reply, _Written
from dokimasia.models.weights import Weights

TALK = [Message("user", "hello there")]
WARM = Sampling(max_tokens=12, temperature=1.0, top_p=0.9, top_k=40)
VECTOR = np.random.default_rng(3).normal(size=32).astype(np.float32)


def whole(subject, sampling, seed=5, talk=TALK):
    return subject.text.generate([talk], sampling, seeds=[seed])[0]


def steps(subject, sampling, seed=5, layers=(), talk=TALK):
    return list(subject.streams.stream(talk, sampling, seed=seed, layers=layers))


def same(found, reply):
    assert tuple(step.token for step in found) == reply.tokens
    assert tuple(step.logprob for step in found) == reply.logprobs
    assert "".join(step.text for step in found) == reply.text
    assert [step.stop_reason for step in found] == [None] * (len(found) - 1) + [reply.stop_reason]


def hooks(module):
    return sum(len(part._forward_hooks) + len(part._forward_pre_hooks) for part in module.modules())


@pytest.mark.parametrize("architecture", MORE_ARCHITECTURES)
def test_a_stream_is_the_whole_reply(tiny, architecture):
    """Tokens, log-probabilities, text and why it ended are those of `generate`, greedy and sampled, with any seed."""
    subject = load_subject(tiny(architecture))
    for sampling in (Sampling(max_tokens=12), WARM):
        for seed in (0, 5):
            same(steps(subject, sampling, seed), whole(subject, sampling, seed))


@pytest.mark.parametrize("architecture", MORE_ARCHITECTURES)
def test_the_stream_that_chose_a_token_is_shown(tiny, architecture):
    """The first step's activations are those of the prompt's last token; the next step's, of the token between them."""
    subject = load_subject(tiny(architecture), Loading(dtype="float32"))
    found = steps(subject, Sampling(max_tokens=4), layers=(0, 2))
    assert found[0].activations.shape == (2, 32)
    assert found[0].activations.dtype == np.float32
    at_end = subject.activations.activations([TALK], layers=[0, 2], pools=["last"], max_tokens=64).values[0, :, 0]
    assert found[0].activations == pytest.approx(at_end, abs=1e-4)
    assert not np.allclose(found[1].activations, found[0].activations, atol=1e-3)
    assert steps(subject, Sampling(max_tokens=1))[0].activations.shape == (0, 32)


def test_a_steered_subject_streams(tiny):
    """Its tokens are those that it generates, its activations moved by the vector; the plain subject's are as before."""
    subject = load_subject(tiny("llama"), Loading(dtype="float32"))
    before = steps(subject, WARM, layers=[1])
    steered = subject.steerable.steered([Add(layer=1, vector=VECTOR, scale=4.0, positions="new")])
    found = steps(steered, WARM, layers=[1])
    same(found, whole(steered, WARM))
    assert found[0].activations == pytest.approx(before[0].activations + 4 * VECTOR, abs=1e-4)
    assert [step.token for step in found] != [step.token for step in before]
    assert [step.token for step in steps(subject, WARM)] == [step.token for step in before]


def test_between_two_tokens_the_model_is_free(tiny):
    """While a stream waits there is no hook and no lock: others are answered, and it goes on as if alone."""
    subject = load_subject(tiny("llama"))
    module = subject.streams._weights.module("bfloat16")
    alone = whole(subject, WARM)
    stream = subject.streams.stream(TALK, WARM, seed=5, layers=[0])
    other = subject.streams.stream([Message("user", "x")], WARM, seed=6, layers=[1])
    tokens = []
    for step in stream:
        tokens.append(step.token)
        assert hooks(module) == 0
        next(other, None)
        assert whole(subject, WARM).tokens == alone.tokens
    assert tuple(tokens) == alone.tokens


def test_closing_ends_it(tiny):
    """A closed stream computes nothing more, leaves no hook, and the next one begins afresh."""
    subject = load_subject(tiny("gpt2"))
    module = subject.streams._weights.module("bfloat16")
    stream = subject.streams.stream(TALK, WARM, seed=5, layers=[0])
    first = next(stream)
    stream.close()
    assert list(stream) == []
    assert hooks(module) == 0
    assert steps(subject, WARM)[0].token == first.token


def test_stop_texts_end_it_and_are_not_shown(tiny):
    """Neither a stop text nor its beginning is given away, whichever token completes it."""
    subject = load_subject(tiny("llama"))
    text = whole(subject, Sampling(max_tokens=40)).text
    for stop in ((text[3:6],), (text[5:8], "never said"), (text[2:4] + "\u2603",)):
        sampling = Sampling(max_tokens=40, stop=stop)
        same(steps(subject, sampling), whole(subject, sampling))


def test_characters_come_whole(tiny):
    """What takes several tokens appears with the last of them, and bytes that make no character come at the end."""
    rendering = Rendering([tiny("llama")], Loading())
    snowman = rendering.encode_text("a\u2603b")
    assert len(snowman) == 5
    written, given = _Written(rendering, ()), []
    for token in snowman:
        written.tokens.append(token)
        given.append(written.new(last=False))
    assert given == ["a", "", "", "\u2603", "b"]
    written.tokens.append(snowman[1])
    assert written.new(last=False) == ""
    assert written.new(last=True) == "\ufffd"


def test_room_in_the_context(tmp_path):
    """A reply ends where the context does, and a conversation that fills it is refused before anything is computed."""
    subject = load_subject(save_tiny("llama", tmp_path / "short", context=64))
    long = [Message("user", "a" * 30)]
    found = steps(subject, Sampling(max_tokens=60), talk=long)
    same(found, whole(subject, Sampling(max_tokens=60), talk=long))
    with pytest.raises(TooLong, match="room for a reply"):
        subject.streams.stream([Message("user", "a" * 80)], WARM, seed=0, layers=())


def test_layers_that_do_not_exist_are_refused(tiny):
    """At once, not at the first token."""
    subject = load_subject(tiny("llama"))
    with pytest.raises(SubjectError, match="layer from 0 to 2"):
        subject.streams.stream(TALK, WARM, seed=0, layers=[3])


def test_a_layer_that_is_not_run_has_no_states(tiny):
    """What the model never computes is NaN, and nothing that could be taken for a state."""
    weights = Weights(tiny("llama"), 1)
    reply = _Reply(weights.module("float32"), [1, 2, 3], weights.padding)
    assert np.isnan(reply.read([torch.nn.Identity()], 32)[1]).all()


def test_no_token_asked_for(tiny):
    """A reply of no tokens has no steps."""
    weights = Weights(tiny("llama"), 1)
    assert list(TokenStreams(weights, threading.Lock()).stream(TALK, Sampling(max_tokens=0), seed=0, layers=())) == []


@pytest.mark.model
def test_the_bundled_model_streams_what_it_says():
    """Words and ends of turn come as in a whole reply."""
    subject = load_subject("bundled")
    talk = [Message("user", "What is the capital of France?")]
    same(
        steps(subject, Sampling(max_tokens=24), layers=[10], talk=talk),
        whole(subject, Sampling(max_tokens=24), talk=talk),
    )
