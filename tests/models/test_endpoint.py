"""Endpoints, asked for real: a server on the loopback interface misbehaves in every way that servers do."""

import asyncio
import json
import logging
import signal
import socket
import subprocess
import threading
from dataclasses import replace

import pytest
from tests.models import misbehaving as bad
from tests.models.misbehaving import KEY, MODEL, Server

from dokimasia.core import DataError, Message, Prices, Sampling, SubjectError, Tool, ToolCall
from dokimasia.models.endpoint import load_endpoint
from dokimasia.models.endpoint_options import EndpointOptions, Patience

NAME = f"openai-api/local/{MODEL}"
QUICK = Patience(attempts=3, first_wait=0.01, longest_wait=0.02, seconds_per_attempt=20.0, seconds_in_all=40.0)


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """A key, and no proxy between us and the server."""
    monkeypatch.setenv("LOCAL_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture
def server():
    with Server() as running:
        yield running


def subject_at(url, **options):
    return load_endpoint(NAME, EndpointOptions(base_url=url, **{"patience": QUICK} | options))


def ask(subject, n=1, sampling=None):
    conversations = [[Message("user", f"Question {place}")] for place in range(n)]
    return subject.text.generate(conversations, sampling or Sampling(), seeds=range(n))


def test_replies_stand_in_the_order_of_the_questions(server):
    """Forty questions, ten at once: each gets its own reply, with what the endpoint says about it."""
    server.reply = lambda body: f"Re: {body['messages'][-1]['content']}"
    replies = ask(subject_at(server.url), 40)
    assert [reply.text for reply in replies] == [f"Re: Question {place}" for place in range(40)]
    first = replies[0]
    assert (first.stop_reason, first.error, first.prompt_tokens, first.new_tokens) == ("stop", None, 11, 4)
    assert first.logprobs == (-0.25,)
    assert (first.delivery.model, first.delivery.retries, first.delivery.dropped) == (f"{MODEL}-2026-01", 0, ())
    assert len(server.requests) == 40
    assert {body["seed"] for body in server.bodies} == set(range(40))


def test_settings_reach_the_endpoint(server):
    """Length, temperature, nucleus, stop words and seed are sent; thinking is added to the length."""
    sampling = Sampling(max_tokens=7, temperature=0.5, top_p=0.9, stop=("END",))
    ask(subject_at(server.url, thinking_tokens=100), sampling=sampling)
    (body,) = server.bodies
    assert (body["max_tokens"], body["temperature"], body["top_p"], body["stop"]) == (107, 0.5, 0.9, ["END"])


def test_no_more_requests_at_once_than_allowed(server):
    """Three connections are three requests at a time."""
    together = threading.Barrier(3)

    def wait_for_two_others(handler, body):
        together.wait(10)
        bad.well(handler, body)

    server.always = wait_for_two_others
    assert {reply.stop_reason for reply in ask(subject_at(server.url, connections=3), 9)} == {"stop"}
    assert server.most_at_once == 3


@pytest.mark.parametrize(
    "fault",
    [
        bad.status(429),
        bad.status(500),
        bad.status(502),
        bad.status(503),
        bad.status(529),
        bad.html,
        bad.broken_json,
        bad.wrong_shape,
        bad.a_list,
        bad.no_choices,
        bad.cut,
        bad.hangs_up,
    ],
    ids=[
        "429",
        "500",
        "502",
        "503",
        "529",
        "html",
        "broken-json",
        "wrong-shape",
        "list",
        "no-choices",
        "cut",
        "hangs-up",
    ],
)
def test_what_may_pass_is_tried_again_and_then_counted_as_errored(server, fault):
    """Two failures and a reply: the reply, with two retries. Failure for ever: errored, after as many requests as allowed."""
    subject = subject_at(server.url)
    server.script.extend([fault, fault])
    (reply,) = ask(subject)
    assert (reply.text, reply.stop_reason, reply.delivery.retries) == ("Bananas are berries.", "stop", 2)
    assert len(server.requests) == 3
    server.always = fault
    (reply,) = ask(subject)
    assert (reply.stop_reason, reply.text, reply.delivery.retries) == ("error", "", 2)
    assert reply.error
    assert len(server.requests) == 6


def test_silence_ends(server):
    """An endpoint that says nothing is left after the time for one attempt, and asked again."""
    server.script.append(bad.silent)
    (reply,) = ask(subject_at(server.url, patience=replace(QUICK, seconds_per_attempt=1.0)))
    assert (reply.stop_reason, reply.delivery.retries) == ("stop", 1)
    server.always = bad.silent
    (reply,) = ask(subject_at(server.url, patience=replace(QUICK, seconds_per_attempt=0.2, attempts=2)))
    assert (reply.stop_reason, reply.error) == ("error", "silence: no answer in time")


def test_the_wait_that_is_asked_for_is_waited(server):
    """Retry-After is honoured; one longer than our patience ends the matter at once."""
    server.script.append(bad.status(429, retry_after=1))
    (reply,) = ask(subject_at(server.url))
    (first, *_), (second, *_) = server.requests
    assert reply.stop_reason == "stop"
    assert second - first >= 1.0
    server.always = bad.status(429, retry_after=3600)
    (reply,) = ask(subject_at(server.url))
    assert (reply.stop_reason, reply.delivery.retries) == ("error", 0)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        (bad.status(401, f"Incorrect API key provided: {KEY}"), "Check the key"),
        (bad.status(403), "Check the key"),
        (bad.status(404, "The model does not exist"), "Check the model's name"),
    ],
    ids=["401", "403", "404"],
)
def test_what_cannot_succeed_stops_early(server, fault, check):
    """A refused key and an unknown model stop everything, say what to check, and do not show the key."""
    server.always = fault
    with pytest.raises(SubjectError, match=check) as caught:
        ask(subject_at(server.url, connections=2), 50)
    assert KEY not in str(caught.value)
    assert len(server.requests) <= 4


def test_a_single_forbidden_request_is_an_errored_one(server):
    """Once something was answered, 403 concerns the request and not the key."""

    def forbids_three(handler, body):
        (bad.status(403) if "3" in body["messages"][-1]["content"] else bad.well)(handler, body)

    server.always = forbids_three
    replies = ask(subject_at(server.url, connections=1), 6)
    assert [reply.stop_reason for reply in replies] == ["stop", "stop", "stop", "error", "stop", "stop"]


def test_a_dead_endpoint_is_given_up(server):
    """When the first ten requests fail for good, or ten in a row later, nothing more is asked."""
    subject = subject_at(server.url, connections=1, patience=replace(QUICK, attempts=1))
    server.always = bad.status(500)
    with pytest.raises(SubjectError, match="The last 10 requests failed"):
        ask(subject, 50)
    assert len(server.requests) == 10
    server.always = None
    ask(subject, 3)
    server.always = bad.status(500)
    with pytest.raises(SubjectError, match="is kept"):
        ask(subject, 50)
    assert len(server.requests) == 23


def test_nobody_at_home():
    """A port that nobody listens on is errored, not raised, for one item."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        (reply,) = ask(subject_at(f"http://127.0.0.1:{taken.getsockname()[1]}/v1"))
    assert reply.stop_reason == "error"
    assert reply.delivery.retries == 2


def test_a_name_that_does_not_exist():
    """A host without an address stops early and says so."""
    with pytest.raises(SubjectError, match="Check the address and the network"):
        ask(subject_at("http://no-such-host.invalid/v1"), 5)


def test_a_certificate_that_nobody_signed(tmp_path):
    """A self-signed certificate is not retried and the message says where an authority of one's own goes."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    try:
        subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs the openssl command to make a certificate")
    with Server(certificate=(certificate, key)) as server:
        with pytest.raises(SubjectError, match="SSL_CERT_FILE"):
            ask(subject_at(server.url), 5)
        assert not server.requests


@pytest.mark.parametrize("name", ["seed", "logprobs"])
def test_settings_that_are_refused_are_left_out(server, name):
    """An endpoint that refuses a setting is asked without it, remembered, and the reply says so."""
    server.always = bad.refuses(name)
    subject = subject_at(server.url, connections=1)
    replies = ask(subject, 5)
    assert {(reply.stop_reason, reply.delivery.dropped, reply.delivery.retries) for reply in replies} == {
        ("stop", (name,), 0)
    }
    assert len(server.requests) == 6
    assert [name in body for body in server.bodies] == [True] + [False] * 5


def test_other_refusals_are_final(server):
    """A bad request is not repeated, and its words are kept."""
    server.script.append(bad.status(400, "this makes no sense"))
    first, second = ask(subject_at(server.url, connections=1), 2)
    assert (first.stop_reason, first.error) == ("error", "status 400: this makes no sense")
    assert second.stop_reason == "stop"
    assert len(server.requests) == 2


@pytest.mark.parametrize("fault", [bad.filtered, bad.filtered_beforehand])
def test_a_filter_is_no_reply(server, fault):
    """What a filter swallowed, before or after, says so."""
    server.always = fault
    (reply,) = ask(subject_at(server.url))
    assert (reply.stop_reason, reply.error) == ("content_filter", None)
    assert len(server.requests) == 1


def test_a_complaint_in_a_replys_place_is_no_reply(server):
    """Inspect turns a prompt that is too long into a reply with the complaint; here it is an error."""
    server.always = bad.too_long
    (reply,) = ask(subject_at(server.url))
    assert (reply.stop_reason, reply.text) == ("error", "")
    assert "maximum context length" in reply.error


def test_a_huge_reply_is_kept_whole(server):
    """Eight million characters are a reply like any other."""
    server.always = bad.huge
    (reply,) = ask(subject_at(server.url))
    assert len(reply.text) == 8_100_000


def test_tools_and_their_calls(server):
    """Tools are offered, calls come back, and earlier calls and answers are told."""
    tool = Tool(
        name="look",
        description="Looks something up.",
        parameters=json.dumps(
            {"type": "object", "properties": {"what": {"type": "string", "description": "x"}}, "required": ["what"]}
        ),
    )
    server.always = bad.asks_for("look", '{"what": "bananas"}')
    conversation = [
        Message("system", "Be brief."),
        Message("user", "Are bananas berries?"),
        Message("assistant", "", (ToolCall("look", '{"what": "berries"}', "call-0"),)),
        Message("tool", "a fruit", answers="call-0"),
    ]
    (reply,) = subject_at(server.url).text.generate([conversation], Sampling(tools=(tool,)), seeds=[0])
    assert (reply.stop_reason, reply.tool_calls) == (
        "tool_calls",
        (ToolCall("look", '{"what": "bananas"}', "call-1"),),
    )
    (body,) = server.bodies
    assert body["tools"][0]["function"]["name"] == "look"
    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "tool"]
    assert body["messages"][2]["tool_calls"][0]["id"] == body["messages"][3]["tool_call_id"] == "call-0"


def test_a_role_that_nobody_has_is_refused_as_an_error(server):
    """A role that chat interfaces lack errors that item and asks nothing."""
    (reply,) = subject_at(server.url, patience=replace(QUICK, attempts=1)).text.generate(
        [[Message("oracle", "hm")]], Sampling(), seeds=[0]
    )
    assert "role is system, user, assistant or tool" in reply.error
    assert not server.requests


def test_it_works_below_a_running_loop(server):
    """In a notebook, where a loop runs already, asking works as elsewhere."""

    async def cell():
        return ask(subject_at(server.url), 3)

    assert [reply.stop_reason for reply in asyncio.run(cell())] == ["stop"] * 3


def test_ctrl_c_stops_at_once(server):
    """An interrupt while everything hangs ends the waiting and cancels what is under way; the subject can go on later."""
    server.always = bad.silent
    subject = subject_at(
        server.url, connections=4, patience=replace(QUICK, seconds_per_attempt=60.0, seconds_in_all=60.0)
    )
    main, over = threading.main_thread().ident, threading.Event()

    def interrupt():
        """Again after a while: Python loses an interrupt that comes while it cleans up an object."""
        over.wait(0.5)
        while not over.is_set():
            signal.pthread_kill(main, signal.SIGINT)
            over.wait(5)

    def wait():
        try:
            ask(subject, 20)
        finally:
            over.set()

    interrupting = threading.Thread(target=interrupt)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore interrupts
    try:
        interrupting.start()
        with pytest.raises(KeyboardInterrupt):
            wait()
        interrupting.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(server.requests) <= 4
    server.always = None
    assert ask(subject)[0].stop_reason == "stop"


def test_arrivals_come_as_they_are_ready(server):
    """A slow reply does not hold back a quick one, and whoever stops listening stops the asking."""
    hold = threading.Event()

    def first_is_slow(handler, body):
        if body["seed"] == 0:
            hold.wait(10)
        bad.well(handler, body)

    server.always = first_is_slow
    subject = subject_at(server.url, connections=2)
    arriving = subject.service.arrivals.arrive([[Message("user", "x")]] * 3, Sampling(), seeds=[0, 1, 2])
    assert [next(arriving)[0], next(arriving)[0]] == [1, 2]
    hold.set()
    assert [place for place, _ in arriving] == [0]
    stopped = subject.service.arrivals.arrive([[Message("user", "x")]] * 500, Sampling(), seeds=range(500))
    next(stopped)
    stopped.close()
    assert len(server.requests) < 400


def test_each_conversation_needs_a_seed(server):
    """Seeds and conversations are counted before anything is asked; nothing asked is nothing answered."""
    subject = subject_at(server.url)
    with pytest.raises(DataError, match="Found 1 conversations and 2 seeds"):
        subject.text.generate([[Message("user", "x")]], Sampling(), seeds=[1, 2])
    assert subject.text.generate([], Sampling(), seeds=[]) == []


def test_the_key_is_nowhere(server, caplog, capfd):
    """Neither logs nor output nor replies nor the subject's description show the key, even if the endpoint repeats it."""
    caplog.set_level(logging.DEBUG)
    server.script.append(bad.status(500, f"cannot serve Bearer {KEY}"))
    subject = subject_at(server.url, patience=replace(QUICK, attempts=1))
    replies = ask(subject, 2)
    assert any(f"Bearer {KEY}" in str(headers) for _, _, headers in server.requests)
    shown = repr((replies, subject.identity)) + "".join(map(str, capfd.readouterr()))
    assert "[secret]" in shown
    assert KEY not in shown
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("dokimasia")]
    assert KEY not in " ".join(ours)


def test_identity_is_the_name_and_the_settings_not_the_place(server):
    """The same model at another port is the same; other settings are another; the weights are unknown."""
    one, moved = subject_at("http://127.0.0.1:1111/v1"), subject_at("http://127.0.0.1:2222/v1")
    assert one.identity == moved.identity
    assert (one.identity.name, one.identity.parameters) == (NAME, 0)
    others = [
        subject_at("http://127.0.0.1:1111/v2"),
        subject_at("http://127.0.0.1:1111/v1", thinking_tokens=10),
        subject_at("http://127.0.0.1:1111/v1", arguments={"strict_tools": False}),
    ]
    assert len({item.identity.digest for item in [one, *others]}) == 4
    assert (one.logprobs, one.activations) == (None, None)
    assert subject_at(server.url, prices=Prices(input=1, output=2)).service.prices.usd(prompt=10, new=5) == 2e-5
