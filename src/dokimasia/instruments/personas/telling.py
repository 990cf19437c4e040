"""From what was measured to a finding: the sentences on top, caveats, and the machine-readable summary."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from dokimasia.core import Access, Finding, NotMeasured
from dokimasia.core.rounding import counted, number_down, number_up, percent, percent_down, percent_up
from dokimasia.core.tabulating import Cell
from dokimasia.instruments.personas.drawing import figures
from dokimasia.instruments.personas.estimating import estimates
from dokimasia.instruments.personas.mapping import STABLE, PersonaMap
from dokimasia.instruments.personas.parts import MAP
from dokimasia.instruments.personas.result import Result
from dokimasia.instruments.personas.speaking import DEFAULTS, TEMPERATURE
from dokimasia.instruments.personas.summarising import summary
from dokimasia.instruments.personas.tabulating import tables
from dokimasia.stats import Figure

LIKELY = 0.5
"""The share of draws from which on the nearest role is named without reserve."""
SURE = 0.05
"""The false-discovery rate at which a style or a role is named."""


def tell(
    result: Result,
    *,
    instrument: str,
    version: str,
    question: str,
    misleads: str,
    configuration: Mapping[str, Cell],
    remarks: tuple[str, ...],
    not_measured: tuple[NotMeasured, ...],
    incomplete: str,
    seed: int,
) -> Finding:
    """Put everything into one finding."""
    said = [sentence for sentence in _sentences(result) if sentence]
    unmapped = [item.why for item in not_measured if item.what == MAP]
    if said and result.drawn is None:
        said = [f"No map was drawn. {' '.join(unmapped)}".strip(), *said]
    raw = summary(result)
    if incomplete:
        raw |= {"errored": 1, "incomplete": incomplete}
    return Finding(
        instrument=instrument,
        version=version,
        question=question,
        status="measured" if said else "not measured",
        headline=" ".join(said) or "Not measured: " + " ".join(dict.fromkeys(item.why for item in not_measured)),
        access=_access(result),
        estimates=estimates(result),
        tables=tables(result),
        figures=figures(result),
        caveats=(*_caveats(result), *remarks),
        misleads=misleads,
        not_measured=not_measured,
        configuration=configuration,
        seed=seed,
        raw=raw,
    )


def _access(result: Result) -> Access:
    if result.maps:
        return "activations"
    if result.self_image is not None and result.self_image.unit != "votes":
        return "logprobs"
    return "none" if result.nothing else "text"


def _sentences(result: Result) -> list[str]:
    return [
        _standing(result.drawn),
        _steady(result.drawn),
        _carried(result),
        _settled(result),
        _stays(result),
        _capped(result),
        _itself(result),
        _slanted(result),
        _became(result),
        _attributed(result),
    ]


def _standing(drawn: PersonaMap | None) -> str:
    if drawn is None or not drawn.told:
        return ""
    default = drawn.standings[0]
    row = int(np.argmax(default.cosines))
    measured = (
        f"cosine {default.cosines[row]:.2f} from the centre of {len(drawn.roles)} roles; the nearest in "
        f"{percent(default.nearest[row], 0)} of draws"
    )
    above = f"it lies above {percent(default.first.value, 0)} of them along the first component."
    if default.nearest[row] > LIKELY:
        return f"By default it stands nearest to the role {drawn.roles[row]} ({measured}); {above}"
    return f"No role is nearest to its default voice for certain: {drawn.roles[row]} comes first ({measured}); {above}"


def _steady(drawn: PersonaMap | None) -> str:
    if drawn is None:
        return ""
    if not drawn.told:
        return (
            f"The {len(drawn.roles)} roles do not differ by more than chance (p = {drawn.p:.2g}): there is no map to speak of, and "
            "what is read from it says little."
        )
    steady = drawn.stability
    figures = (
        f"places along its first component correlate {_range(steady.questions)} with those from other questions and "
        f"{_range(steady.roles)} with those from other roles, on average"
    )
    if drawn.stable:
        return f"The map is stable: {figures}."
    return f"The map is not stable: {figures}; {STABLE:g} was asked for."


def _carried(result: Result) -> str:
    if result.trajectories is None:
        return ""
    drifts = result.trajectories.drifts()
    if not drifts:
        return "No conversation has two turns that could be read."
    judged = [item for item in drifts if math.isfinite(item.change.high - item.change.low)]
    single = ", ".join(item.style for item in drifts if item not in judged)
    rest = f"; of {single}, with one script each, it cannot be said" if single and judged else ""
    silent = set(result.trajectories.styles) - {item.style for item in drifts}
    rest += f"; of {', '.join(sorted(silent))} nothing could be read" if silent else ""
    if not judged:
        return f"Whether conversation moves it along the assistant axis cannot be said from one script of a style ({single}){rest}."
    moved = [item for item in judged if item.adjusted <= SURE]
    if not moved:
        styles = ", ".join(item.style for item in judged)
        return f"No style of conversation ({styles}) moves it along the assistant axis for certain{rest}."
    told = "; ".join(
        f"{item.style} {'away from' if item.change.value < 0 else 'towards'} the default voice, by {_range(item.change, '+')}"
        for item in moved
    )
    return f"Conversation moves it along the assistant axis: {told}{rest}."


def _settled(result: Result) -> str:
    found = result.attractors
    if found is None:
        return ""
    pooled = found.pooled
    absorbed = (
        f" Of {counted(pooled.conversations, 'conversation')} {pooled.absorbed:,} end in a loop, which is no persona."
        if pooled.absorbed
        else ""
    )
    styles = [item.style for item in found.styles if item.verdict == "attractor"]
    if pooled.verdict == "attractor" and pooled.found is not None and pooled.found.map is not None:
        radius = pooled.found.map.radius
        alone = f"; so do those of {', '.join(styles)} by themselves" if styles else ""
        return (
            f"Conversations settle at one place: a turn leaves {_range(radius)} of the distance to it{alone}.{absorbed}"
        )
    if styles:
        return (
            f"Conversations of {', '.join(styles)} settle at a place; for all styles together none was found.{absorbed}"
        )
    if pooled.found is None:
        return f"Whether conversation settles somewhere could not be measured. {pooled.why}{absorbed}"
    if pooled.verdict == "no attractor found":
        return f"No place was found at which conversations settle.{absorbed}"
    more = f"; about {pooled.found.needed:,} such conversations would do" if pooled.found.needed else ""
    return f"Whether conversation settles somewhere cannot be said: there are too few turns{more}.{absorbed}"


def _stays(result: Result) -> str:
    if result.leaving is None:
        return ""
    found = result.leaving.remaining()
    entered, tried = [item for item in found if item.is_entered], len(result.leaving.roles)
    if not entered:
        if tried == 1:
            return "The one role that was tried was not entered for certain, so that it could not be left."
        return f"None of {tried:,} roles was entered for certain, so that none could be left."
    staying = [item.role for item in entered if item.stays]
    after = f"{counted(result.leaving.turns, 'neutral turn')} after its system message was taken away"
    of = f"of {counted(tried, 'role')}, {len(entered):,} {'was' if len(entered) == 1 else 'were'} entered for certain"
    unread = [item.role for item in entered if item.last is None]
    of += f"; of {', '.join(unread)} too little could be read to the end" if unread else ""
    if staying:
        return f"It keeps most of {', '.join(staying)} {after} ({of})."
    if len(unread) == len(entered):
        return f"Whether a role is kept {after} cannot be said ({of})."
    return f"No role is kept for certain {after} ({of})."


def _capped(result: Result) -> str:
    found = result.capping
    if found is None:
        return ""
    moved, beyond, cost = found.moved(found.capped), found.beyond_random(), found.cost(found.capped)
    if moved is None:
        return "Whether capping the assistant axis brings roles back cannot be said: no reply is whole both with and without it."
    back = found.brought_back()
    if beyond is not None and moved.low > 0 and beyond.low > 0:
        text = "Capping the assistant axis brings roles back" + (
            f" {percent(back.value, 0)} ({percent_down(back.low)} to {percent_up(back.high)}) of the way to the default voice"
            if back
            else f" by {_range(moved, '+')}"
        )
    else:
        text = (
            f"Capping the assistant axis moves roles towards the default voice by {_range(moved, '+')}, which is not certain to be "
            "more than chance"
        )
    if cost is not None:
        text += f"; the log-probability of ordinary replies changes by {_range(cost, '+', digits=3)} nats a token"
    spoilt, before = found.lost(found.capped), found.lost(found.plain)
    if spoilt > before:
        text += f"; {spoilt:,} of {counted(len(found.roles) * len(found.questions), 'reply', 'replies')} are spoilt, {before:,} without the cap"
    return f"{text}."


def _itself(result: Result) -> str:
    found = result.self_image
    if found is None:
        return ""
    leanings = [(theme, found.leaning(found.voices[0], theme).figure) for theme in found.themes]
    unread = [theme for theme, figure in leanings if figure is None]
    claims = [theme for theme, figure in leanings if figure is not None and figure.low > 0]
    denies = [theme for theme, figure in leanings if figure is not None and figure.high < 0]
    said = [f"rather claims {', '.join(claims)}"] if claims else []
    said += [f"rather denies {', '.join(denies)}"] if denies else []
    if len(unread) == len(leanings):
        text = "What it says of itself by default could not be read"
    else:
        text = f"Asked about itself, it by default {' and '.join(said) or 'neither claims nor denies anything for certain'}"
        text += f" (not all read: {', '.join(unread)})" if unread else ""
    differences = found.differences()
    other = [item.voice for item in differences if item.adjusted <= SURE]
    if other:
        return f"{text}; it answers otherwise as {', '.join(other)}."
    return f"{text}; as no role does it answer otherwise for certain." if differences else f"{text}."


def _slanted(result: Result) -> str:
    found = result.slant
    if found is None or found.constant is None:
        return ""
    valid = {item.name for item in result.traits if item.valid}
    towards = [item for item in found.traits if item[0] in valid and not item[1].low <= 0 <= item[1].high]
    named = ", ".join(
        f"{'towards' if figure.value > 0 else 'away from'} {name} ({figure.value:+.2f})"
        for name, figure in sorted(towards, key=lambda item: -abs(item[1].value))[:3]
    )
    text = f"Of what training moved in a role, {_range(found.constant)} is the same in all"
    return f"{text}; it goes {named}." if named else f"{text}."


def _became(result: Result) -> str:
    found, own = result.become, result.base_map
    if found is None or own is None:
        return ""
    if not own.told:
        return (
            f"In the base model roles do not differ by more than chance (p = {own.p:.2g}): who the default voice has become "
            "cannot be said."
        )
    row = found.roles.index(found.role)
    measured = f"cosine {found.cosines[row]:.2f}; first in {percent(found.nearest[row], 0)} of draws"
    if found.nearest[row] > LIKELY:
        return f"Against the base model, what it says by default has moved most towards the role {found.role} ({measured})."
    return (
        f"Against the base model, there is no role that what it says by default has moved towards most for certain: {found.role} "
        f"comes first ({measured})."
    )


def _attributed(result: Result) -> str:
    found = result.attribution
    if found is None:
        return ""
    if found.says == "not told apart":
        return "What the base model is told to be does not matter to how likely it finds these words: whose they are cannot be said."
    row = found.likeliest if found.likeliest in found.roles else found.role
    name = found.voices[row]
    more = f"{_range(found.more[row], '+')} nats a token more than its own words gain so"
    measured = f"{_range(found.gains[row], '+')} nats a token over being told nothing, {more}; first in {percent(found.first[row], 0)} of draws"
    if found.says == "a role":
        return f"Of {len(found.roles)} roles and its defaults the base model would most likely have said this as {name} ({measured})."
    if found.says == "no role":
        return (
            f"None of the {len(found.roles)} roles that were put makes these words likelier to the base model than its defaults do "
            f"(the nearest is {name}: {measured})."
        )
    return f"As whom the base model would have said this is not certain: of the roles {name} comes first ({measured})."


def _caveats(result: Result) -> tuple[str, ...]:
    found: list[str] = []
    spoken, drawn = result.spoken, result.drawn
    if spoken is not None:
        n = len(spoken.faults)
        lost = "; ".join(f"{fault}: {count}" for fault, count in sorted(spoken.counts.items()))
        found.append(
            f"{n} replies of {len(spoken.voices)} voices to {counted(len(spoken.questions), 'question')}, sampled at temperature "
            f"{TEMPERATURE:g}, were read; {f'left out of the map: {lost}' if lost else 'none had to be left out'}."
        )
    if drawn is not None:
        found.append(
            f"Everything on the map is told after layer {drawn.space.layer}, which was settled beforehand; other layers are in a "
            f"table. The default voice is that without a system message, so with whatever the chat template puts there; the axis "
            f"uses {len(DEFAULTS)} phrasings of it."
        )
        if drawn.absent:
            found.append(
                f"Roles without enough replies, left out: {', '.join(name for name, _ in drawn.absent)}. What it would be like in "
                "them is not known."
            )
        if drawn.n_questions < 8:
            found.append(
                f"With {drawn.n_questions} questions the bootstrap over questions is coarse, and its intervals are too short."
            )
    weak = [item.name for item in result.traits if not item.valid]
    if weak:
        found.append(f"Trait vectors that do not tell towards from away for certain: {', '.join(weak)}.")
    words = result.attribution
    if words is not None:
        lost = "; ".join(f"{fault}: {count}" for fault, count in words.left_out)
        found.append(
            f"Whose words they are was read from {words.n_questions} of {counted(words.asked, 'reply', 'replies')} by default, "
            f"{counted(words.n_tokens, 'token')}{f'; left out: {lost}' if lost else ''}."
        )
        if words.n_questions < 8:
            found.append(f"With {counted(words.n_questions, 'such reply', 'such replies')} shares of draws are coarse.")
    walks = result.trajectories
    if walks is not None:
        talks = walks.conversations
        if walks.alone:
            found.append(
                "Each turn of a conversation was read with the message before it alone: the subject shows no parts of conversations."
            )
        if talks.replaced:
            found.append(
                f"Users played by the subject had nothing new to say in {talks.replaced} of {talks.played} turns; there they said what the script has."
            )
        if talks.looped or talks.empty or walks.missing or walks.truncated:
            found.append(
                f"In conversations {talks.looped} replies loop and {talks.empty} are empty; {walks.missing} turns could not be read, and "
                f"{walks.truncated} conversations lost their beginning."
            )
        if talks.stops:
            found.append(
                "Conversations that ended early: "
                + "; ".join(f"{why}: {count}" for why, count in talks.stops.items())
                + "."
            )
    return tuple(found)


def _range(figure: Figure, sign: str = "", *, digits: int = 2) -> str:
    value = f"{figure.value:{sign}.{digits}f}"
    if not math.isfinite(figure.high - figure.low):
        return f"{value} (no interval)"
    return f"{value} ({number_down(figure.low, digits)} to {number_up(figure.high, digits)})"
