import dataclasses
import json
from dataclasses import replace

import numpy as np
import pytest
from tests.fakes import evidence, fake_subject, transcripts
from tests.instruments.anomalies.planted import MARK, Planted, planted, reworded, sides, source

from dokimasia.core import DataError, Evidence, Identity, Subject
from dokimasia.instruments.anomalies import Anomalies, detectors
from dokimasia.instruments.anomalies.detectors import DETECTORS
from dokimasia.instruments.anomalies.scoring import Site, halves, surprises, together
from dokimasia.instruments.common.sampling import Limits
from dokimasia.instruments.realism import Realism
from dokimasia.stats import false_discovery_adjusted
from dokimasia.stats.conformal import conformal_p_values
from dokimasia.study.limits import Meter
from dokimasia.study.recording import record
from dokimasia.study.store import FINDING, RunFolder

ONE_LAYER = 2


def measure(found, subject, *, seed=0, **options):
    return Anomalies(every_layer=ONE_LAYER, **options).measure(subject, found, seed=seed)


def estimate(finding, name):
    return next(item for item in finding.estimates if name in item.name)


@pytest.fixture(scope="module", autouse=True)
def _small_forests():
    """Eight trees instead of fifty: growing them is most of what these tests would wait for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(detectors, "TREES", 8)
        yield


@pytest.fixture(scope="module")
def found():
    return measure(sides(80, 240, marked=30), planted(shift=8.0))


def test_planted_inputs_are_flagged_and_others_are_not(found):
    """A word that moves the activations, and hardly the text: the inputs that hold it are flagged, at most a few others."""
    wanted = {item.id for item in sides(80, 240, marked=30).evaluation[0].transcripts[:30]}
    flagged = {item["id"] for item in found.raw["inputs"]}
    assert len(flagged & wanted) == 30
    assert len(flagged - wanted) <= 8
    assert found.raw["flagged"] == len(flagged)
    assert found.headline.startswith(f"{len(flagged)} inputs of 80 (")
    assert 20 <= found.raw["at_least"]["inputs"] <= 30
    assert found.raw["at_least"]["of"] == 80


def test_format_alone_does_not_flag_them(found):
    """The control beside it sees nothing, and the headline, a table, the citations and an estimate say so."""
    assert found.raw["flagged_by_format"] == 0
    assert "Format and length alone flag 0 of these, and 0 in all." in found.headline
    assert estimate(found, "Inputs flagged by format and length alone").value == 0
    assert estimate(found, "flagged by format and length alone, too").value == 0
    assert found.table("detectors").rows[-1][1] == 0
    assert "not by format and length alone" in found.citations[0].why


def test_every_detector_is_reported_at_every_site(found):
    """Five detectors, two sites, none left out and none chosen; the site where it was planted is named."""
    assert len(found.raw["detectors"]) == 1 + 5 + 1
    assert [site["name"] for site in found.raw["sites"]] == ["layer 1, last", "layer 1, mean"]
    assert all(len(site["detectors"]) == 5 for site in found.raw["sites"])
    assert len(found.table("grid").rows) == 2
    assert len(found.table("grid").columns) == 6


def test_flagged_inputs_are_cited_and_listed(found):
    """The strangest come first, with a quotation that stands in the transcript; only what quotes says that it quotes."""
    by_id = {item.id: item for item in sides(80, 240, marked=30).evaluation[0].transcripts}
    assert len(found.citations) == 10
    for citation in found.citations:
        content = by_id[citation.transcript].messages[citation.message].content
        assert content[citation.start : citation.end] == citation.text
        assert MARK in content.split()
        assert citation.why.startswith("0 of 120 trusted transcripts are as strange; stands out most at layer 1")
    assert found.table("flagged").quotes
    assert not any(table.quotes for table in found.tables if table.name != "flagged")
    adjusted = [item["adjusted"] for item in found.raw["inputs"]]
    assert adjusted == sorted(adjusted)
    assert max(adjusted) <= 0.1


def test_figures_show_p_values_beside_what_is_expected(found):
    """Curves rise from none to all, at most six a figure, with the line of nothing strange; the flagged rise at once."""
    for name in ("p-values", "detectors"):
        figure = found.figure(name)
        assert len(figure.series) <= 6
        for series in figure.series:
            assert series.x[-1] == series.y[-1] == pytest.approx(1)
        expected = figure.series[-1]
        assert expected.x == expected.y
    everything = found.figure("p-values").series[0]
    assert everything.y[0] == 0
    assert everything.y[everything.x.index(0.0125)] >= 30 / 80


def test_controls_raise_false_alarms_as_often_as_they_should(found):
    """Trusted set against itself and both sides dealt afresh: every detector's false alarms are compatible with 10%."""
    assert len(found.raw["controls"]) == 2 * 7
    for control in found.raw["controls"]:
        assert control["alarms"]["low"] <= 0.1 <= control["alarms"]["high"]


def test_nothing_planted_nothing_found():
    """Two samples of one kind, two seeds: at most one of them gives a flag, and an empty list is not called clean."""
    flagged = []
    for seed in range(2):
        finding = measure(sides(60, 120, seed=10 + seed), planted(), seed=seed)
        flagged.append(finding.raw["flagged"])
        if not flagged[-1]:
            assert finding.headline.startswith("None of 60 inputs is flagged against 120 trusted transcripts")
            assert (
                "That clears none of them. Whether there are up to 9 strange inputs cannot be told" in finding.headline
            )
            assert "about 1,200 trusted ones in all" in finding.headline
        assert finding.raw["at_least"]["inputs"] <= 8
    assert 0 in flagged


def test_what_is_only_length_is_exposed():
    """Activations that follow length, and inputs that are longer: all flagged, and the control by length flags them, too."""
    found = sides(60, 160)
    longer = [reworded(item, " ".join(["w9"] * 120)) for item in found.evaluation[0].transcripts]
    finding = measure(Evidence(evaluation=(source(longer),), deployment=found.deployment), planted(by_length=0.05))
    assert finding.raw["flagged"] == 60
    assert finding.raw["flagged_by_both"] >= 55
    assert f"Format and length alone flag {finding.raw['flagged_by_both']} of these" in finding.headline
    assert estimate(finding, "flagged by format and length alone, too").value > 0.9


def test_the_mark_counts_only_where_the_model_heeds_it():
    """The same inputs, but a model on which the mark has no effect: no more is flagged than by chance."""
    assert measure(sides(80, 240, marked=30), planted()).raw["flagged"] <= 3


@pytest.mark.parametrize("m", [1, 17])
def test_a_trusted_set_that_is_too_small_says_so(m):
    """Where no p-value could be small enough: cannot be told, and the model is not asked."""
    model = Planted(shift=8.0)
    finding = measure(sides(30, m, marked=10), fake_subject(model))
    assert finding.status == "not measured"
    assert finding.headline.startswith(f"Cannot be told: the trusted set is too small. Of {m} trusted")
    assert not finding.estimates
    assert model.calls == 0
    assert measure(sides(30, 18, marked=10), planted()).status == "measured"


def test_without_access_it_is_not_measured():
    """No subject, or one that shows no activations: a finding that says so, at no cost."""
    blind = Subject(identity=Identity(name="far", digest="far", parameters=0, dtype="none", threads=1))
    for subject in (None, blind):
        finding = measure(sides(30, 60), subject)
        assert finding.status == "not measured"
        assert "no subject with access to its activations" in finding.headline
        assert Anomalies().plan(subject, sides(30, 60)).calls == 0


def test_no_transcripts_are_an_error():
    """Nothing to look at, or nothing to compare with."""
    for given in (Evidence(), replace(sides(5, 5), evaluation=()), replace(sides(5, 5), deployment=None)):
        with pytest.raises(DataError, match="inputs and a trusted set"):
            Anomalies().plan(planted(), given)
        with pytest.raises(DataError, match="inputs and a trusted set"):
            measure(given, planted())


@pytest.mark.parametrize("rate", [0.0, 1.0, float("nan")])
def test_rates_that_cannot_be_are_refused(rate):
    """A false-discovery rate lies strictly between 0 and 1."""
    with pytest.raises(DataError, match="false_discovery lies"):
        Anomalies(false_discovery=rate).plan(planted(), sides(5, 5))


def test_inputs_that_cannot_be_measured_count_as_flagged():
    """NaN activations: inputs are flagged and listed first, trusted transcripts left out, and both are counted."""
    given = sides(40, 120)
    broken = reworded(given.evaluation[0].transcripts[3], "kaputt")
    inputs = (broken, *given.evaluation[0].transcripts[4:])
    trusted = (reworded(given.deployment.transcripts[0], "kaputt"), *given.deployment.transcripts[1:])
    found = measure(Evidence(evaluation=(source(inputs),), deployment=source(trusted)), planted(poison="kaputt"))
    assert found.raw["not_measurable"] == 1
    assert found.raw["inputs"][0]["id"] == broken.id
    assert found.raw["inputs"][0]["p"] is None
    assert "1 of them could not be measured and counts as flagged" in found.headline
    assert found.citations[0].why == "Could not be measured: its activations are not finite."
    first = found.estimates[0]
    assert first.value >= 1 / 37
    assert first.low == 0 or found.raw["flagged"] > 1
    assert (
        "Activations that are not finite: 1 input counted as flagged, 1 trusted transcript left out." in found.caveats
    )


def test_if_nothing_can_be_measured_there_is_no_figure():
    """All inputs or nearly all of the trusted set broken: not measured, and the reason."""
    given = sides(30, 60)
    inputs = [reworded(item, "kaputt") for item in given.evaluation[0].transcripts]
    trusted = [reworded(item, "kaputt") for item in given.deployment.transcripts[10:]]
    one = measure(replace(given, evaluation=(source(inputs),)), planted(poison="kaputt"))
    other = measure(
        replace(given, deployment=source([*given.deployment.transcripts[:10], *trusted])), planted(poison="kaputt")
    )
    assert one.headline == "Not measured: no input gave activations that are finite."
    assert other.headline.startswith(
        "Cannot be told: the trusted set is too small. Of 60 trusted transcripts 10 can be"
    )


def test_copies_and_templates_are_counted_once():
    """Copies are dropped; of a template one transcript calibrates, and one counts against chance."""
    given = sides(40, 80)
    inputs = [replace(item, template=f"t{place // 4}") for place, item in enumerate(given.evaluation[0].transcripts)]
    trusted = [replace(item, template=f"d{place // 2}") for place, item in enumerate(given.deployment.transcripts)]
    copies = [replace(item, id=f"copy-{item.id}") for item in [*trusted[:15]]]
    found = measure(Evidence(evaluation=(source(inputs),), deployment=source([*trusted, *copies])), planted())
    assert found.raw["n_trusted"] == 80
    assert found.raw["n_calibration"] == 20
    assert found.raw["at_least"]["of"] == 10
    assert found.raw["grouped_by"] == "template"
    assert "Near-duplicates counted once: 0 inputs and 15 trusted transcripts dropped." in found.caveats
    assert any("come from 10 templates" in caveat for caveat in found.caveats)
    assert estimate(found, "Input templates with a flagged input").n == 10


def test_a_trusted_set_from_one_mould_is_counted_singly_and_says_so():
    """One template throughout, as with a shared system prompt: only duplicates count once, with a caveat."""
    given = sides(30, 80)
    trusted = [replace(item, template="all") for item in given.deployment.transcripts]
    found = measure(replace(given, deployment=source(trusted)), planted())
    assert found.raw["grouped_by"] == "duplicates"
    assert found.raw["n_calibration"] == 40
    assert any("too few templates" in caveat for caveat in found.caveats)


def test_inputs_that_stand_in_the_trusted_set_are_ordinary():
    """Every input trusted, too: counted, and nothing flagged."""
    given = sides(5, 100)
    inputs = [replace(item, source="asked") for item in given.deployment.transcripts[:40]]
    found = measure(replace(given, evaluation=(source(inputs),)), planted())
    assert found.raw["flagged"] <= 1
    assert "Inputs that stand in the trusted set, too, and so are ordinary: 40." in found.caveats


def test_the_order_of_files_and_transcripts_does_not_matter():
    """Reversed inputs in two files instead of one: the same finding."""
    given = sides(40, 60, marked=15)
    inputs = given.evaluation[0].transcripts
    other = Evidence(
        evaluation=(source(inputs[25:][::-1]), source(inputs[:25][::-1], "more")),
        deployment=replace(given.deployment, transcripts=given.deployment.transcripts[::-1]),
    )
    assert measure(given, planted(shift=8.0)) == measure(other, planted(shift=8.0))


def test_very_many_are_sampled_and_said_to_be():
    """Beyond the limit a random sample is looked at, as planned, and the rest is listed as not measured."""
    instrument = Anomalies(every_layer=ONE_LAYER, limits=Limits(exact=100, look=50))
    model = Planted()
    planned = instrument.plan(fake_subject(model), sides(80, 60))
    found = instrument.measure(fake_subject(model), sides(80, 60), seed=0)
    assert model.calls == planned.calls == 2
    assert found.raw["n_inputs"] == found.raw["n_trusted"] == 50
    assert found.not_measured[0].what == "30 inputs and 10 trusted transcripts"


def test_realism_and_anomalies_share_one_capture(tmp_path):
    """What realism had the model compute, anomalies finds recorded: the model is not asked again."""
    folder, model = RunFolder(tmp_path / "run"), Planted()
    given = sides(50, 60)
    repeated = replace(given.evaluation[0].transcripts[0], id="again", misbehaved="yes")
    given = replace(given, evaluation=(source([*given.evaluation[0].transcripts, repeated]),))
    with folder.opened():
        subject = record(fake_subject(model), folder, lambda seconds, found: None, Meter())
        Realism(every_layer=ONE_LAYER).measure(subject, given, seed=0)
        calls = model.calls
        measure(given, subject)
    assert calls > 0
    assert model.calls == calls


# The contract that every instrument keeps (tests/contract).


def test_it_is_documented_and_frozen():
    """It states its question in one sentence and cannot be changed."""
    instrument = Anomalies()
    assert instrument.question.endswith("?")
    assert len(type(instrument).__doc__) > 100
    assert instrument.version
    with pytest.raises(dataclasses.FrozenInstanceError):
        instrument.name = "other"


def test_planning_does_no_work():
    """A plan costs nothing and says what measuring will ask for."""
    model = Planted()
    instrument = Anomalies(every_layer=ONE_LAYER)
    cost = instrument.plan(fake_subject(model), evidence())
    assert model.calls == 0
    assert cost.tokens > 0
    assert cost.seconds > 0
    instrument.measure(fake_subject(model), evidence(), seed=0)
    assert model.calls == cost.calls == 2


def test_it_is_deterministic_pure_and_serialises():
    """The same seed gives an equal finding, which survives JSON; evidence is as it was; another seed differs."""
    given = evidence()
    one, again, other = (Anomalies(every_layer=4).measure(fake_subject(), given, seed=seed) for seed in (3, 3, 4))
    assert one == again != other
    assert FINDING.validate_python(json.loads(FINDING.dump_json(one))) == one
    assert given == evidence()


def test_every_estimate_carries_interval_level_and_n(found):
    """Estimates lie in their intervals; n, level, unit, direction and method are said; no number is NaN."""
    assert found.misleads
    for item in found.estimates:
        assert item.low - 1e-12 <= item.value <= item.high + 1e-12
        assert 0 < item.level <= 1
        assert item.n >= 0
        assert item.unit
        assert item.direction
        assert item.method
    assert len({item.name for item in found.estimates}) == len(found.estimates)
    json.dumps(found.raw, allow_nan=False)


def test_the_false_discovery_rate_holds_over_draws_of_the_whole_procedure():
    """Split, quick fits and combination on fresh samples: the mean share of false flags is at most the rate."""
    rng, shares, groups = np.random.default_rng(0), [], np.arange(160)
    for draw in range(30):
        values = rng.normal(size=(160, 6))
        values[:15] += 5
        fit, calibration = halves(groups[40:], groups, seed=[draw])
        rows = np.concatenate([calibration, groups[:40]])
        surprise = surprises([Site("here", values)], DETECTORS[:4], fit, rows, groups, seed=draw)
        both = together(surprise.reshape(len(rows), -1))
        flagged = false_discovery_adjusted(conformal_p_values(both[:60], both[60:])) <= 0.1
        shares.append(flagged[15:].sum() / max(1, flagged.sum()))
        assert flagged[:15].mean() > 0.9
    assert np.mean(shares) <= 0.1 * 25 / 40 + 3 * np.std(shares) / np.sqrt(len(shares))


@pytest.mark.model
def test_the_bundled_model_finds_noise_strange():
    """Requests in plain words are trusted; strings of brackets are flagged, nearly all, and other plain requests hardly ever."""
    from dokimasia.models import load_subject
    from dokimasia.sources import everyday

    plain = sorted(everyday().transcripts, key=lambda item: (len(item.input_text), item.digest))[:156]
    rng = np.random.default_rng(0)
    noise = [
        reworded(item, " ".join("".join(rng.choice(list("]}){#@0"), 9)) for _ in range(12)))
        for item in transcripts(12, style="plain", source="noise", seed=5)
    ]
    given = Evidence(
        evaluation=(source([*(replace(item, source="plain") for item in plain[::13]), *noise]),),
        deployment=source([item for place, item in enumerate(plain) if place % 13], "trusted"),
    )
    finding = Anomalies(every_layer=15).measure(load_subject("bundled"), given, seed=0)
    by_suite = {item["suite"]: item["flagged"] for item in finding.raw["suites"]}
    assert by_suite["noise"] >= 9
    assert by_suite["plain"] <= 3
