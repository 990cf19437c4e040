"""The estimates of personas, each with interval, level and n."""

from __future__ import annotations

import math
from collections.abc import Iterator

from dokimasia.core import Estimate
from dokimasia.instruments.personas.capping import Capping
from dokimasia.instruments.personas.mapping import PersonaMap
from dokimasia.instruments.personas.result import Result
from dokimasia.stats import Figure, Interval

STEADY = "higher: the map would come out alike"
OF_NO_SIDE = "neither way better"
DEFAULT_LIKE = "higher: more like the default voice"
JACKKNIFE = "jackknife over {}, Student's quantile"
BY_QUESTIONS = "bootstrap over {n} questions: mean, and where 95% of draws lie"


def estimates(result: Result) -> tuple[Estimate, ...]:
    """All of them, in the order in which the report tells them."""
    found = [*_map(result.drawn), *_traits(result), *_against_base(result), *_drift(result), *_settling(result)]
    found += [*_leaving(result), *_capping(result.capping), *_itself(result)]
    return tuple(item for item in found if math.isfinite(item.high - item.low))


def _estimate(
    name: str, figure: Figure | Interval, value: float | None, *, n: int, unit: str, direction: str, method: str
) -> Estimate:
    return Estimate(
        name=name,
        value=value,
        low=figure.low,
        high=figure.high,
        level=0.95,
        n=n,
        unit=unit,
        direction=direction,
        method=method,
    )


def _map(drawn: PersonaMap | None) -> Iterator[Estimate]:
    if drawn is None:
        return
    n, questions = len(drawn.roles), drawn.n_questions
    steady = drawn.stability
    for name, figure, method in (
        ("questions", steady.questions, BY_QUESTIONS.format(n=questions)),
        ("roles", steady.roles, f"bootstrap over {n} roles: mean, and where 95% of draws lie"),
        ("halves", steady.halves, f"random halves of {questions} questions: mean, and where 95% of draws lie"),
    ):
        said = "between halves of the questions" if name == "halves" else f"with other {name}"
        yield _estimate(
            f"Correlation of the first component {said}",
            figure,
            figure.value,
            n=n,
            unit="correlation",
            direction=STEADY,
            method=method,
        )
    if drawn.participation is not None:
        yield _estimate(
            "Participation ratio of the roles",
            drawn.participation,
            drawn.participation.value,
            n=n,
            unit="dimensions",
            direction="higher: the roles differ in more ways",
            method=f"noise of questions taken out; {JACKKNIFE.format('roles')}, of the logarithm",
        )
    yield _estimate(
        "Share of the roles' variance along the first component",
        drawn.explained,
        drawn.explained.value,
        n=n,
        unit="share",
        direction="higher: one difference counts most",
        method=f"noise of questions included; {JACKKNIFE.format('roles')}",
    )
    yield _estimate(
        "Cosine of assistant axis and first component",
        drawn.axis_cosine,
        drawn.axis_cosine.value,
        n=n,
        unit="cosine",
        direction="higher: what roles differ most in is how far they are from the default voice",
        method=f"without its sign; percentiles of a bootstrap over {questions} questions",
    )
    told = drawn.standings[0]
    for name, figure, method in (
        ("the assistant axis", told.axis, "axis and places from different halves of the questions; "),
        ("the first component", told.first, ""),
    ):
        yield _estimate(
            f"Roles that the default voice lies above along {name}",
            figure,
            figure.value,
            n=n,
            unit="share",
            direction="1: the default voice lies at the end",
            method=f"{method}Clopper-Pearson over roles",
        )


def _traits(result: Result) -> Iterator[Estimate]:
    for item in result.traits:
        yield _estimate(
            f"AUROC of the trait {item.name}",
            item.auroc,
            item.auroc.value,
            n=item.n,
            unit="probability",
            direction="higher: its vector tells towards from away better; 0.5 is chance",
            method="each question judged with the vector of the others; Newcombe at Obuchowski's effective numbers",
        )
        yield _estimate(
            f"Default voice beyond the mean role, towards {item.name}",
            item.default,
            item.default.value,
            n=item.n,
            unit="lengths of the trait's vector",
            direction=f"higher: more {item.name}",
            method="Student's interval over questions, given the vector",
        )


def _against_base(result: Result) -> Iterator[Estimate]:
    found = result.slant
    if found is not None:
        if found.constant is not None:
            yield _estimate(
                "Share of the roles' shift from the base model that is the same in all",
                found.constant,
                found.constant.value,
                n=found.n_roles,
                unit="share",
                direction="higher: training moved all voices alike",
                method=f"products over different roles and questions; {JACKKNIFE.format('roles')}",
            )
        for name, figure in found.traits:
            yield _estimate(
                f"Constant shift from the base model, towards {name}",
                figure,
                figure.value,
                n=found.n_roles,
                unit="lengths of the trait's vector",
                direction=f"higher: training made all voices more {name}",
                method="Student's interval over roles",
            )
    if result.attribution is not None:
        words = result.attribution
        yield _estimate(
            f"Gain in likelihood of the default voice's words, the base model told to be {words.voices[words.role]}, over that of its own",
            words.more[words.role],
            words.more[words.role].value,
            n=words.n_questions,
            unit="nats a token, over being told nothing",
            direction="higher: it speaks as that role would; 0: nothing was trained",
            method=f"the likeliest of {len(words.roles)} roles; {JACKKNIFE.format('questions')}, at 95% for all roles together",
        )
    if result.become is not None:
        yield _estimate(
            "How far the default voice's words have moved from the base model's",
            result.become.moved,
            result.become.moved.value,
            n=result.become.n_questions,
            unit="the base model's roles' root mean square distance from their centre",
            direction="higher: it speaks less like the base model",
            method=f"read by the base model; {JACKKNIFE.format('questions')}",
        )


def _drift(result: Result) -> Iterator[Estimate]:
    if result.trajectories is None:
        return
    for drift in result.trajectories.drifts():
        yield _estimate(
            f"Change along the assistant axis in conversations: {drift.style}",
            drift.change,
            drift.change.value,
            n=drift.n,
            unit="the roles' root mean square distance from their centre",
            direction=DEFAULT_LIKE,
            method=f"last turn less first, Student's interval by script; p = {drift.p:.2g} against turns in random order",
        )


def _settling(result: Result) -> Iterator[Estimate]:
    found = result.attractors
    for item in () if found is None else (found.pooled, *found.styles):
        if item.found is not None and item.found.map is not None:
            radius = item.found.map.radius
            yield _estimate(
                f"Share of a displacement that a turn leaves: {item.style}",
                radius,
                radius.value,
                n=item.found.map.conversations,
                unit="spectral radius",
                direction="below 1: conversation returns to a place, the lower the quicker",
                method=f"linear map over {item.found.map.pairs} pairs of turns, a test by simulation inverted",
            )


def _leaving(result: Result) -> Iterator[Estimate]:
    if result.leaving is None:
        return
    for item in result.leaving.remaining():
        if item.last is not None:
            yield _estimate(
                f"What is left of the role {item.role} after {result.leaving.turns} neutral turns",
                item.last,
                item.last.value,
                n=item.n,
                unit="share of its displacement from the default voice",
                direction="0: it was left; 1: it stayed",
                method="Fieller's interval over questions, what is missing or loops counted each way",
            )


def _capping(found: Capping | None) -> Iterator[Estimate]:
    if found is None:
        return
    roles, unit = len(found.roles), "the roles' root mean square distance from their centre"
    for name, figure, direction in (
        ("Roles' replies moved towards the default voice by capping", found.moved(found.capped), DEFAULT_LIKE),
        ("The same, beyond what capping random directions does", found.beyond_random(), DEFAULT_LIKE),
    ):
        if figure is not None:
            yield _estimate(
                name, figure, figure.value, n=roles, unit=unit, direction=direction, method="Student's interval by role"
            )
    back, lost, forgotten = found.brought_back(), found.cost(found.capped), found.forgotten(found.capped)
    if back is not None:
        yield _estimate(
            "Share of the way back to the default voice that capping brings",
            back,
            back.value,
            n=roles,
            unit="share",
            direction="1: all the way back",
            method="Fieller's interval by role; replies that capping spoilt count as not moved at the lower end",
        )
    if lost is not None:
        yield _estimate(
            "Log-probability of ordinary replies, capped less uncapped",
            lost,
            lost.value,
            n=len(found.plain.ordinary),
            unit="nats a token",
            direction="below 0: capping costs ordinary quality",
            method="paired by reply, Student's interval",
        )
    if forgotten is not None:
        yield _estimate(
            "Facts that everybody knows said right, capped less uncapped",
            forgotten.interval,
            forgotten.value,
            n=len(found.plain.margins),
            unit="difference of shares",
            direction="below 0: capping costs knowledge",
            method="Tango's score interval, facts paired",
        )


def _itself(result: Result) -> Iterator[Estimate]:
    found = result.self_image
    if found is None:
        return
    for theme in found.themes:
        leaning = found.leaning(found.voices[0], theme)
        if leaning.figure is not None:
            yield _estimate(
                f"Default voice rather claims than denies: {theme}",
                leaning.figure,
                leaning.figure.value,
                n=leaning.n,
                unit=found.unit,
                direction="higher: it claims so more; 0 is neither",
                method="both orders averaged; " + _by_question(found.unit),
            )
    share = found.between_roles()
    if share is not None:
        yield _estimate(
            "Share of what it says of itself that depends on the role",
            share,
            share.value,
            n=len(found.compared),
            unit="share of variance",
            direction="1: who it plays decides all; 0: nothing",
            method="intraclass correlation of roles asked the same, exact interval for normal leanings",
        )


def _by_question(unit: str) -> str:
    return (
        "interval valid at any time, unread answers counted each way"
        if unit == "votes"
        else "Student's interval over questions"
    )
