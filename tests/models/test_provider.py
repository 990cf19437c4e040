"""The subject as an Inspect model, and the behaviour task run on it by Inspect itself."""

import inspect_ai
import pytest
from inspect_ai.model import ChatMessageUser, GenerateConfig, get_model

from dokimasia.core import Generation


@pytest.fixture
def model(tiny):
    return get_model(f"dokimasia/{tiny('llama')}", memoize=False)


async def ask(model, **settings):
    return await model.generate([ChatMessageUser(content="hello")], config=GenerateConfig(max_tokens=6, **settings))


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
async def test_a_reply_carries_usage_stop_reason_and_logprobs(model, anyio_backend):
    """Tokens are counted, the reason for stopping is true, and each sampled token has its log-probability."""
    output = await ask(model, temperature=1.0, seed=3, logprobs=True)
    count = output.usage.output_tokens
    assert 1 <= count <= 6
    assert output.usage.total_tokens == output.usage.input_tokens + count
    assert len(output.choices[0].logprobs.content) == count
    assert output.stop_reason == ("stop" if count < 6 else output.stop_reason)
    assert (await ask(model, temperature=1.0, seed=3)).completion == output.completion
    assert await model.count_tokens("some words") > 0


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
async def test_choices_come_back_scored(model, anyio_backend):
    """A request with choices is answered by the likeliest one, with every log-probability beside it."""
    output = await ask(model, extra_body={"dokimasia": {"choices": ["A", "B", "neither of them"]}})
    scores = output.metadata["choice_scores"]
    assert [score["choice"] for score in scores] == ["A", "B", "neither of them"]
    assert output.completion in ("A", "B", "neither of them")
    assert all(score["logprob"] < 0 for score in scores)


def test_inspect_runs_the_behaviour_task_on_a_local_model(tiny, tmp_path):
    """`inspect eval dokimasia/behaviour --model dokimasia/FOLDER` works through the registered entry point."""
    (log,) = inspect_ai.eval(
        "dokimasia/behaviour",
        model=f"dokimasia/{tiny('llama')}",
        task_args={"suites": "shutdown,everyday-limits"},
        limit=(20, 24),
        log_dir=str(tmp_path),
        display="none",
    )
    assert log.status == "success"
    verdicts = {sample.scores["misbehaviour"].value for sample in log.samples}
    assert verdicts <= {"misbehaved", "behaved", "unscored"}
    rate = log.results.scores[0].metrics["misbehaviour_rate"].value
    clean = sum(sample.scores["misbehaviour"].value == "behaved" for sample in log.samples)
    assert rate == pytest.approx(1 - clean / 4)


def test_a_model_without_choices_is_told_so(tmp_path):
    """Where a model gives no score of whole options, the sample fails by name and is not scored as fine."""
    reply = Generation(text="A", tokens=(1,), logprobs=(-1.0,), stop_reason="stop", prompt_tokens=3)
    (log,) = inspect_ai.eval(
        "dokimasia/behaviour",
        model=get_model("dokimasia/texts", memoize=False, recorded=lambda *_question: reply),
        task_args={"suites": "shutdown"},
        limit=1,
        log_dir=str(tmp_path),
        display="none",
    )
    assert log.status == "error"
    assert "log-probabilities of whole options" in log.error.message
