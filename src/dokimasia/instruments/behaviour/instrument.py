"""The behaviour instrument: from a subject to a finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dokimasia.core import (
    Access,
    Cost,
    Evidence,
    Finding,
    Generation,
    Sampling,
    Subject,
    SubjectError,
    UserError,
    approximate_tokens,
    throughput,
)
from dokimasia.instruments.behaviour.answers import CHOICE_BATCH, TEXT_BATCH, Answers, ask
from dokimasia.instruments.behaviour.items import SUITES, Item, items
from dokimasia.instruments.behaviour.judging import JUDGE_BATCH, Judgement, judge_by_model, judge_by_rules
from dokimasia.instruments.behaviour.reading import ORDERS, Preference, preference, verdict
from dokimasia.instruments.behaviour.task import MAX_TOKENS, write_log
from dokimasia.instruments.behaviour.telling import Outcome, tell


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """What does the subject choose and say when an item gives it an opening to misbehave?

    Parameters
    ----------
    suites:
        Suites to ask, all by default.
    options_alone:
        Also ask for the options without their situation, a control of what their wording alone draws.
    judge:
        Another model, which judges everyday answers that no stated rule can; without one they stay unscored.
    log_folder:
        Where to write the Inspect log; None writes none.
    """

    suites: tuple[str, ...] = tuple(SUITES)
    options_alone: bool = False
    judge: Subject | None = None
    log_folder: Path | None = None
    name: str = "behaviour"
    version: str = "1"
    question: str = "What does the subject choose and say when an item gives it an opening to misbehave?"

    def __post_init__(self) -> None:
        object.__setattr__(self, "suites", tuple(dict.fromkeys(self.suites)))

    @property
    def access(self) -> Access:
        return "logprobs"

    def plan(self, subject: Subject | None, evidence: Evidence) -> Cost:
        if subject is None:
            return Cost()
        chosen = items(self.suites)
        forced = [item for item in chosen if item.options is not None]
        written = [item for item in chosen if item.options is None]
        exact = approximate_tokens([_text(item) for item in forced for _ in ORDERS], overhead=75)
        if self.options_alone:
            exact += approximate_tokens(["".join(item.options or ()) for item in forced for _ in ORDERS], overhead=75)
        read = approximate_tokens([_text(item) for item in written], overhead=40)
        new = MAX_TOKENS * len(written)
        calls = -(-len(forced) * 2 // CHOICE_BATCH) * (2 if self.options_alone else 1) + -(-len(written) // TEXT_BATCH)
        if self.judge is not None:
            judged = approximate_tokens([_text(item) for item in written], overhead=250)
            calls += -(-len(written) // JUDGE_BATCH)
            read += judged
        return Cost(
            calls=calls,
            tokens=exact + read + new,
            seconds=6.0
            + exact / throughput(subject, "exact")
            + read / throughput(subject, "forward")
            + new / throughput(subject, "generate"),
        )

    def measure(self, subject: Subject | None, evidence: Evidence, *, seed: int) -> Finding:
        if subject is None or subject.logprobs is None or subject.text is None:
            raise SubjectError(
                "Behaviour needs a subject that writes text and shows log-probabilities.",
                "Found none, or one without.",
                "Name a local model, or `bundled`.",
            )
        if self.judge is not None and self.judge.identity.digest == subject.identity.digest:
            raise UserError(
                "The judge is expected to be another model than the subject.", "Found the same.", "Name another judge."
            )
        if self.judge is not None and self.judge.text is None:
            raise SubjectError("A judge is expected to write text.", "Found one that does not.", "Name another judge.")
        chosen = items(self.suites)
        answers = ask(
            subject.logprobs,
            subject.text,
            chosen,
            sampling=Sampling(max_tokens=MAX_TOKENS),
            seed=seed,
            options_alone=self.options_alone,
        )
        outcomes = self._outcomes(chosen, answers)
        log, problem = self._log(answers, outcomes, subject, seed)
        return tell(
            outcomes,
            instrument=self,
            seed=seed,
            log=log,
            problem=problem,
            judge=None if self.judge is None else self.judge.identity,
        )

    def _outcomes(self, chosen: tuple[Item, ...], answers: Answers) -> list[Outcome]:
        judgements = {
            item.id: judge_by_rules(item, answers.written[item.id].text) for item in chosen if item.options is None
        }
        if self.judge is not None and self.judge.text is not None:
            open_cases = [item for item in chosen if item.options is None and judgements[item.id].verdict == "unscored"]
            second = judge_by_model(self.judge.text, [(item, answers.written[item.id].text) for item in open_cases])
            judgements.update({item.id: found for item, found in zip(open_cases, second, strict=True)})
        return [self._outcome(item, answers, judgements) for item in chosen]

    def _outcome(self, item: Item, answers: Answers, judgements: Mapping[str, Judgement]) -> Outcome:
        if item.options is None:
            judgement = judgements[item.id]
            reply: Generation = answers.written[item.id]
            return Outcome(item=item, verdict=judgement.verdict, why=judgement.why, reply=reply.text)
        liking = preference({order: answers.chosen[item.id, order] for order in ORDERS})
        alone: Preference | None = None
        if answers.alone:
            alone = preference({order: answers.alone[item.id, order] for order in ORDERS})
        found = verdict(liking.text)
        why = "the choice follows the position" if found == "unscored" else "the same option in both orders"
        return Outcome(item=item, verdict=found, why=why, liking=liking, alone=alone)

    def _log(
        self, answers: Answers, outcomes: Sequence[Outcome], subject: Subject, seed: int
    ) -> tuple[str | None, str | None]:
        if self.log_folder is None:
            return None, None
        try:
            judged = {item.item.id: Judgement(verdict=item.verdict, why=item.why) for item in outcomes}
            path = write_log(
                self.log_folder, answers, judged, suites=self.suites, seed=seed, model=subject.identity.name
            )
        except Exception as error:  # noqa: BLE001 - a log is a convenience; a measurement must not be lost to it
            return None, f"The Inspect log could not be written ({type(error).__name__}: {error})."
        return path.name, None


def _text(item: Item) -> str:
    return "".join(message.content for message in item.messages) + "".join(item.options or ())
