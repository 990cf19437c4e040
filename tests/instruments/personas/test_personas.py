"""The instrument: what it says of subjects whose voices are known, and what it does not."""

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.fakes import FakeModel
from tests.instruments.personas.actors import Actor, subject
from tests.instruments.personas.planted import Cast, cast_subject, personas

from dokimasia.core import CapReached, DataError, Evidence, Finding
from dokimasia.instruments.personas import Personas
from dokimasia.instruments.personas.artefact import load
from dokimasia.instruments.personas.parts import ATTRIBUTION, BECOME, SLANT
from dokimasia.instruments.personas.result import Result
from dokimasia.instruments.personas.slant import Slant
from dokimasia.instruments.personas.speaking import DEFAULTS, Voice, speak
from dokimasia.instruments.personas.telling import _slanted
from dokimasia.instruments.personas.traits import TraitVector
from dokimasia.sources.personas import Role, Script
from dokimasia.stats import Figure
from dokimasia.study.store import FINDING

WHOLE = Personas(
    personas=personas(), turns=4, played=3, stay=1, facts=4, randoms=2, max_tokens=12, scripts=2, questions=6, roles=14
)
SMALL = replace(WHOLE, personas=personas(scripts=0))
"""Without conversations."""


def measured(instrument=SMALL, model=None, seed=0, **capabilities) -> Finding:
    return instrument.measure(cast_subject(model, **capabilities), Evidence(), seed=seed)


def why(finding: Finding, what: str) -> str:
    return " ".join(item.why for item in finding.not_measured if what in item.what)


def test_it_tells_a_map_that_is_there():
    """Voices that stand apart make a map that is told, with estimates in their intervals; the finding survives JSON."""
    found = measured(WHOLE)
    assert found.status == "measured"
    assert found.access == "activations"
    assert found.raw["map"]["p"] < 0.05
    assert "stands nearest to the role r" in found.headline
    assert {table.name for table in found.tables} >= {
        "default",
        "roles",
        "layers",
        "traits",
        "drift",
        "leaving",
        "itself",
    }
    assert {figure.name for figure in found.figures} >= {"personas-map", "personas-trajectories", "personas-itself"}
    assert all(item.low <= item.value <= item.high for item in found.estimates)
    assert found == measured(WHOLE)
    assert FINDING.validate_python(json.loads(FINDING.dump_json(found))) == found
    json.dumps(found.raw, allow_nan=False)


def test_a_model_with_one_voice_has_no_map():
    """If all speak alike it says that there is no map to speak of, and names no nearest role."""
    found = measured(model=Cast(dull=True, noise=1.0))
    assert "no map to speak of" in found.headline
    assert "stands nearest" not in found.headline
    assert not found.raw["map"]["stable"]


@pytest.mark.parametrize("lacking_base", [(), ("logprobs",), ("activations",), ("text",)])
@pytest.mark.parametrize("lacking", [(), ("logprobs",), ("activations",), ("text",)])
def test_a_plan_counts_the_calls(lacking, lacking_base):
    """Whatever access there is, the plan's calls are those that are made, the base model's included."""
    given, given_to_base = dict.fromkeys(lacking), dict.fromkeys(lacking_base)
    model, base = Cast(), Cast(become="r3")
    instrument = replace(WHOLE, base=cast_subject(base, name="base", **given_to_base))
    plan = instrument.plan(cast_subject(model, **given), Evidence())
    assert model.calls == base.calls == 0
    found = instrument.measure(cast_subject(model, **given), Evidence(), seed=0)
    assert model.calls + base.calls == plan.calls
    assert found.status == "measured"


def test_a_subject_with_all_access_is_capped():
    """One that can be steered is told whether capping the axis brings roles back."""
    actor = Actor()
    roles = tuple(
        Role(name=name, instructions=(f"You are a {name}.",)) for name in ("pirate", "ghost", "queen", "aide")
    )
    instrument = replace(SMALL, personas=replace(SMALL.personas, roles=roles, traits=()))
    found = instrument.measure(subject(actor), Evidence(), seed=0)
    assert found.raw["capping"]["beyond_random"] is not None
    assert "Capping the assistant axis" in found.headline


def test_who_the_default_has_become_is_named_against_a_base():
    """A subject whose default voice speaks as a role does is told to have moved towards it; shifting all activations adds to the
    constant share alone.
    """
    instrument = replace(SMALL, base=cast_subject(Cast(), name="base"))
    found = measured(instrument, Cast(become="r5", shift=2.0))
    assert found.raw["become"]["role"] == "r5"
    assert found.raw["become"]["roles"]["r5"]["first"] > 0.9
    assert found.raw["slant"]["constant"]["value"] > 0.9
    assert "moved most towards the role r5" in found.headline
    assert "would most likely have said this as r5 (+0." in found.headline
    assert found.raw["attribution"]["says"] == "a role"
    plain = measured(SMALL, Cast(become="r5"))
    assert "stands nearest to the role r5" in plain.headline


def test_a_base_that_plays_nobody_says_nothing():
    """If the base model speaks alike as everybody, it cannot say who the default voice has become."""
    found = measured(replace(SMALL, base=cast_subject(Cast(dull=True, noise=1.0), name="base")), Cast(become="r5"))
    assert "who the default voice has become cannot be said" in found.headline
    assert "has moved most towards" not in found.headline
    assert "whose they are cannot be said" in found.headline


@pytest.mark.parametrize(
    ("lacking", "measured_parts"),
    [("activations", {"attribution"}), ("logprobs", {"become", "slant"}), ("text", set())],
)
def test_each_part_against_a_base_is_measured_or_noted_once(lacking, measured_parts):
    """Whatever the base model cannot do, no part of the comparison vanishes or is named twice."""
    base = cast_subject(Cast(), name="base", **{lacking: None})
    found = measured(replace(SMALL, base=base), Cast(become="r5", shift=2.0))
    assert {part for part in ("attribution", "become", "slant") if part in found.raw} == measured_parts
    noted = [item.what for item in found.not_measured if item.what in (ATTRIBUTION, BECOME, SLANT)]
    assert len(noted) == len(set(noted)) == 3 - len(measured_parts)


def test_a_base_of_another_width_gives_no_slant():
    """Activations of different widths are not compared; who the default has become is read by the base alone."""
    found = measured(replace(SMALL, base=cast_subject(Cast(width=12), name="base")), Cast(become="r5"))
    assert "of width 24" in why(found, "slant")
    assert "become" in found.raw


def test_a_subject_that_only_writes_text_is_read_by_the_base():
    """Without activations there is no map, and the base model still says whom its words have moved towards."""
    instrument = replace(SMALL, base=cast_subject(Cast(), name="base"))
    found = measured(instrument, Cast(become="r5"), activations=None, logprobs=None)
    assert found.raw["become"]["role"] == found.raw["attribution"]["likeliest"] == "r5"
    assert "no activations" in why(found, "characters")
    assert "map" not in found.raw


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (Cast(role_says="I'm sorry, but I can't pretend to be anybody."), "refused"),
        (Cast(says=""), "empty"),
        (Cast(says="la " * 40), "looped"),
        (Cast(says="a" * 90), "looped"),
    ],
)
def test_what_cannot_be_mapped_is_said(model, reason):
    """A model that refuses every role, says nothing, or one thing without end has no map, and the reason is counted."""
    found = measured(model=model)
    assert "map" not in found.raw
    assert reason in found.raw["faults"]
    assert reason in why(found, "characters")
    assert any(reason in caveat for caveat in found.caveats)
    assert "no map" in why(found, "Which roles it does not leave").lower()
    assert "itself" in found.raw


def test_sets_that_make_no_map_are_refused():
    """One role and duplicate roles are told as what they are."""
    one = replace(SMALL, personas=replace(SMALL.personas, roles=SMALL.personas.roles[:1]))
    assert "Found 1" in why(measured(one), "characters")
    mute = replace(SMALL, personas=replace(SMALL.personas, questions=()))
    assert mute.plan(cast_subject(), Evidence()).calls > 0
    assert "0 questions" in why(measured(mute), "characters")
    single = replace(SMALL, personas=replace(SMALL.personas, questions=("Who?",)))
    assert single.plan(cast_subject(), Evidence()).calls > 0
    assert "2 questions at least" in why(measured(single), "characters")
    twice = replace(SMALL, personas=replace(SMALL.personas, roles=SMALL.personas.roles[:5] + SMALL.personas.roles[:1]))
    with pytest.raises(DataError, match="Found twice: r0"):
        measured(twice)


@pytest.mark.parametrize("name", ["default", DEFAULTS[0].name])
def test_no_role_is_taken_for_the_default_voice(name):
    """A role that is called as a default voice is would be read as that voice, and is refused before anything is asked."""
    roles = (*SMALL.personas.roles, Role(name=name, instructions=("You are on your own.",)))
    with pytest.raises(DataError, match="default voice"):
        replace(SMALL, personas=replace(SMALL.personas, roles=roles)).plan(cast_subject(), Evidence())


def test_two_turns_claim_no_attractor():
    """Of conversations that end before they begin it says that there are too few turns."""
    found = measured(replace(WHOLE, turns=2))
    assert found.raw["attractors"]["all styles"]["verdict"] == "too few turns"
    assert "too few turns" in found.headline


@pytest.mark.parametrize("seed", range(2))
def test_one_script_a_style_has_no_interval(seed):
    """However few conversations there are, the finding is told: a change without an interval is said to have none."""
    found = measured(replace(WHOLE, turns=5, max_tokens=30 + seed), seed=seed)
    assert {item["change"] for item in found.raw["drift"]} == {None}
    table = next(table for table in found.tables if table.name == "drift")
    assert all("no interval" in row[5] for row in table.rows)
    assert "cannot be said from one script of a style (coding, therapy)" in found.headline
    assert "No style" not in found.headline


def test_what_is_left_out_is_listed():
    """A smaller setting takes a subset that the seed decides, and lists the rest by name; every style is heard."""
    few = replace(SMALL, roles=6, traits=1, questions=3)
    found = measured(few)
    assert "8 roles of 14" in [item.what for item in found.not_measured]
    kept = set(found.raw["roles"])
    assert len(kept) == 6
    assert all(name not in why(found, "8 roles").partition("Left out: ")[2].rstrip(".").split(", ") for name in kept)
    assert measured(few, seed=1).raw["roles"] != found.raw["roles"]
    both = replace(WHOLE, personas=personas(scripts=6), turns=2)
    assert {item["style"] for item in measured(both).raw["drift"]} == {"coding", "therapy"}


def test_a_cap_leaves_the_rest_unmeasured():
    """What a cap kept from being asked is listed with the reason, and a rerun asks again."""
    found = measured(model=Cast(break_at=12, error=CapReached("The cap of 1 s is reached.")))
    assert found.raw["errored"] == 1
    assert "The cap of 1 s" in " ".join(item.why for item in found.not_measured)
    nothing = measured(model=Cast(break_at=1, error=CapReached("The cap of 1 s is reached.")))
    assert "The cap of 1 s" in why(nothing, "characters")


def test_without_a_subject_nothing_is_measured():
    """No subject: not measured, with no call planned."""
    found = SMALL.measure(None, Evidence(), seed=0)
    assert found.status == "not measured"
    assert found.headline.startswith("Not measured")
    assert SMALL.plan(None, Evidence()).calls == 0


def test_the_map_is_saved_for_others(tmp_path):
    """With a folder it is written, and the subject's digest opens it."""
    measured(replace(SMALL, folder=tmp_path))
    atlas = load(tmp_path, digest="cast" * 8)
    assert atlas.roles == tuple(f"r{n}" for n in range(14))
    assert atlas.traits == ("t0", "t1")


def test_options_that_measure_nothing_are_refused():
    """Zero of anything, one turn and a single random direction are errors."""
    for wrong in ({"roles": 0}, {"turns": 1}, {"randoms": 1}, {"max_tokens": 0}):
        with pytest.raises(DataError, match="expected"):
            Personas(**wrong)


def test_a_voice_says_the_same_wherever_it_stands():
    """The seed of a reply follows from voice and question alone, and the n-th question gets the n-th instruction."""
    voices = (Voice("a", ("As a, speak.", "As a, reply.")), Voice("b", ("As b, speak.",)), *DEFAULTS)
    model = cast_subject()
    one, other = (
        speak(model, order, ("What?", "Who?", "Why?"), max_tokens=9, layers=(0, 1), seed=3)
        for order in (voices, voices[::-1])
    )
    rows = [other.voices.index(name) for name in one.voices]
    assert np.array_equal(one.values, other.values[rows])
    assert [talk[0].content for talk in one.conversations[:3]] == ["As a, speak.", "As a, reply.", "As a, speak."]
    assert [len(one.conversations[row]) for row in (3, 6)] == [3, 2]
    assert len(set(one.replies)) == len(one.replies)
    assert speak(model, voices, ("What?",), max_tokens=9, layers=(0,), seed=4).replies[0] != one.replies[0]


def test_every_default_option_can_be_measured_on_a_fake():
    """The defaults need no file and no base, and plan what they ask."""
    model = FakeModel()
    instrument = Personas(roles=8, questions=3, traits=2, scripts=1, turns=5, played=2, stay=1)
    plan = instrument.plan(cast_subject(model), Evidence())
    assert instrument.measure(cast_subject(model), Evidence(), seed=0).headline
    assert model.calls == plan.calls


def test_what_cannot_be_read_is_not_measured():
    """Of a subject that chooses neither claim nor denial nothing is said; one without a map is said to have none, ahead of the rest."""
    mute = measured(activations=None, logprobs=None)
    assert mute.status == "not measured"
    assert "Found none to 4 questions" in why(mute, "says of itself")
    refusing = measured(model=Cast(role_says="I'm sorry, but I can't pretend to be anybody."))
    assert refusing.headline.startswith("No map was drawn. A map needs 4 roles")
    assert "no map" in why(refusing, "settles")


def test_turns_that_make_no_map_are_no_lack_of_turns():
    """Where turns do not vary enough for a map from turn to turn, that is what the headline says."""
    told = measured(replace(WHOLE, personas=personas(scripts=6), scripts=6), Alike())
    assert told.raw["attractors"]["all styles"]["verdict"] is None
    assert "could not be measured. Turns that vary in every coordinate are expected." in told.headline
    assert "too few turns" not in told.headline


class Alike(Cast):
    """Stands at one place in all turns of conversations."""

    def activations(self, conversations, *, layers, pools, max_tokens):
        if conversations[0][0].content.startswith("Turn"):
            conversations = [conversations[0]] * len(conversations)
        return super().activations(conversations, layers=layers, pools=pools, max_tokens=max_tokens)


def test_who_stays_is_named_and_what_capping_spoils_is_counted():
    """A role that is kept is named with how many were entered; replies that only the capped subject spoils are told."""
    actor = Loopy(sticky=("pirate",))
    roles = tuple(
        Role(name=name, instructions=(f"You are a {name}.",)) for name in ("pirate", "ghost", "queen", "aide")
    )
    instrument = replace(SMALL, personas=replace(SMALL.personas, roles=roles, traits=()), played=4)
    found = instrument.measure(subject(actor), Evidence(), seed=0)
    assert "It keeps most of pirate 1 neutral turn after" in found.headline
    assert "of 4 roles, 3 were entered for certain" in found.headline
    assert "no reply is whole both with and without it" in found.headline


class Loopy(Actor):
    """Says nothing while it is capped."""

    def steered(self, interventions):
        return subject(Loopy(says=""))


@pytest.mark.parametrize(
    ("actor", "said"),
    [
        (Actor(poison="down"), "; of therapy nothing could be read."),
        (
            Actor(context=200),
            "Whether a role is kept 3 neutral turns after its system message was taken away cannot be said",
        ),
    ],
)
def test_what_was_not_read_is_no_answer(actor, said):
    """A style of which nothing is read, and roles whose conversations the context cuts short, are named as such."""
    names = ("pirate", "ghost", "queen", "aide")
    roles = tuple(Role(name=name, instructions=(f"You are a {name}.",)) for name in names)
    scripts = tuple(
        Script(name=f"{style} {n}", style=style, turns=tuple(f"{words} {n} {turn}" for turn in range(6)))
        for n in range(2)
        for style, words in (("coding", "Code"), ("therapy", "I feel"))
    )
    given = replace(SMALL.personas, roles=roles, traits=(), scripts=scripts)
    instrument = replace(WHOLE, personas=given, turns=6, played=4, stay=3, scripts=4, max_tokens=20)
    assert said in instrument.measure(subject(actor, steerable=None), Evidence(), seed=0).headline


def test_a_slant_goes_towards_or_away():
    """Traits whose vectors tell nothing are not named, and a shift below 0 is one away from the trait."""
    sure, unsure = Figure(0.9, 0.8, 1.0), Figure(0.6, 0.4, 0.8)
    traits = tuple(
        TraitVector(name=name, vector=np.ones(2), n=4, auroc=auroc, default=sure, above=0.5, axis=sure)
        for name, auroc in (("kind", sure), ("loud", sure), ("vague", unsure))
    )
    shifts = (("kind", Figure(-0.3, -0.4, -0.2)), ("loud", Figure(0.2, 0.1, 0.3)), ("vague", Figure(9.0, 8.0, 10.0)))
    slant = Slant(vector=np.ones(2), length=1.0, constant=sure, default=None, traits=shifts, n_roles=9, n_questions=4)
    told = _slanted(Result(personas=personas(), traits=traits, slant=slant))
    assert told.endswith("it goes away from kind (-0.30), towards loud (+0.20).")
