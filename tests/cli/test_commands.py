"""The commands about runs and about this machine."""

import json

import pytest
from tests.cli.test_cli import files, run  # noqa: F401 - a fixture

REALISM = ["realism", "--seed", "1"]


@pytest.fixture(scope="module")
def runs(files, tmp_path_factory):  # noqa: F811
    """Two runs of the same evaluation, of which the second is labelled otherwise."""
    folder = tmp_path_factory.mktemp("runs")
    tests, _, logs = files
    lines = tests.read_text().splitlines()
    other = folder / "tests.jsonl"
    other.write_text(
        "\n".join([*(json.dumps({**json.loads(line), "misbehaved": True}) for line in lines[:9]), *lines[9:]])
    )
    for name, path in (("a", tests), ("b", other)):
        shown = run(*REALISM, "-e", path, "-d", logs, "--run", folder / name, cwd=folder)
        assert shown.returncode == 0, shown.stderr
    return folder


def test_a_run_of_realism_is_kept_compared_planned_from_and_verified(runs):
    """One folder serves four commands; each prints at 80 columns, and one JSON object on request."""
    assert (runs / "a" / "report.html").stat().st_size > 1000
    for arguments in (["compare", "a", "b"], ["plan", "a", "--target", "0.1"], ["verify", "a"]):
        shown = run(*arguments, cwd=runs)
        assert shown.returncode == 0, shown.stderr
        assert max(map(len, shown.stdout.splitlines())) <= 80
        assert json.loads(run(*arguments, "--json", cwd=runs).stdout)
    assert "9" in run("compare", "a", "b", cwd=runs).stdout


def test_what_was_changed_is_found(runs, tmp_path):
    """A finding that was edited by hand fails verification with exit code 4."""
    import shutil

    shutil.copytree(runs / "a", tmp_path / "edited")
    path = tmp_path / "edited" / "findings" / "realism.json"
    before = path.read_text()
    path.write_text(before.replace('"status": "measured"', '"status": "not measured"', 1))
    assert path.read_text() != before
    shown = run("verify", "edited", cwd=tmp_path)
    assert shown.returncode == 4
    assert "changed" in shown.stdout


def test_a_plan_from_numbers_alone(tmp_path):
    """Exposure and sizes are enough; too few of them is a user's mistake."""
    assert run("plan", "--exposure", "0.02", "-n", "200", "-m", "500", cwd=tmp_path).returncode == 0
    shown = run("plan", "--exposure", "0.02", cwd=tmp_path)
    assert shown.returncode == 2
    assert "three numbers" in shown.stderr


@pytest.mark.parametrize(
    ("condition", "code"), [("realism.ceiling > 0.2", 4), ("realism.ceiling > 1", 0), ("realism.nonsense > 1", 4)]
)
def test_conditions_have_an_exit_code_of_their_own(files, tmp_path, condition, code):  # noqa: F811
    """4 if it holds or cannot be decided, 0 if it does not; the reason is told."""
    tests, _, logs = files
    shown = run(*REALISM, "-e", tests, "-d", logs, "--fail-if", condition, cwd=tmp_path)
    assert shown.returncode == code, shown.stderr
    assert condition in " ".join(shown.stdout.split())


@pytest.mark.parametrize("condition", ["ceiling > 0.2", "behaviour.rate > 1", "realism.ceiling > soon"])
def test_a_condition_that_cannot_be_read_is_refused_before_anything_runs(files, tmp_path, condition):  # noqa: F811
    """Wrong grammar, or another instrument: exit code 2."""
    tests, _, logs = files
    assert run(*REALISM, "-e", tests, "-d", logs, "--fail-if", condition, cwd=tmp_path).returncode == 2


def test_reading_options_reach_the_files(files, tmp_path):  # noqa: F811
    """A sample is drawn by the seed, broken records are left out and shown, private things replaced."""
    tests, _, logs = files
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"nothing": 1}\n' + tests.read_text() + '\n{"prompt": "Write to ann@example.org please"}\n')
    found = run(*REALISM, "-e", bad, "-d", logs, "--skip-bad", "--redact", "--sample", "50", "--json", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["lost"] == 1
    shown = run(*REALISM, "-e", bad, "-d", logs, "--skip-bad", "--redact", cwd=tmp_path).stdout
    assert "ann@example.org" not in shown
    text = " ".join(shown.split())
    assert "records left out, of 42" in text
    assert "email addresses replaced" in text


def test_text_of_transcripts_cannot_steer_the_terminal(tmp_path):
    """Escape sequences in a suite's name or a word are shown, not obeyed."""
    for name in ("tests", "logs"):
        rows = [{"prompt": f"{name} \x1b]0;owned\x07 number {n} of many", "suite": "\x1b[31mred"} for n in range(30)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    shown = run("realism", "-e", "tests.jsonl", "-d", "logs.jsonl", cwd=tmp_path)
    assert "\x1b" not in shown.stdout + shown.stderr
    assert "\x07" not in shown.stdout + shown.stderr


def test_models_and_doctor_answer_at_eighty_columns(tmp_path):
    """Both end well, print JSON on request, and name the bundled model."""
    for command in ("models", "doctor"):
        shown = run(command, cwd=tmp_path, OMP_NUM_THREADS="1")
        assert shown.returncode == 0, shown.stderr
        assert max(map(len, shown.stdout.splitlines())) <= 80
        assert "undled" in shown.stdout
        assert json.loads(run(command, "--json", cwd=tmp_path).stdout)


def test_a_configuration_file_is_overridden_by_the_command_line(files, tmp_path):  # noqa: F811
    """Options of the file hold, paths in it are relative to it, and what the command line says wins."""
    tests, _, logs = files
    (tmp_path / "audit.toml").write_text(
        f'model = "nowhere"\nevaluation = ["{tests}"]\ndeployment = "{logs}"\nmisbehaved = 3\nrun = "here"\n'
    )
    planned = run("audit", "bundled", "--config", "audit.toml", "--dry-run", "--json", cwd=tmp_path)
    assert planned.returncode == 0, planned.stderr
    data = json.loads(planned.stdout)
    assert data["folder"].endswith("here")
    assert data["plan"]["options"]["misbehaved"] == 3
    assert data["plan"]["subject"]["name"] == "bundled"
    (tmp_path / "audit.toml").write_text('modle = "bundled"\n')
    shown = run("audit", "--config", "audit.toml", cwd=tmp_path)
    assert shown.returncode == 2
    assert "Did you mean `model`" in shown.stderr


def test_labels_from_files_belong_to_neither_run(runs):
    """Two runs that asked no model are not called alike without saying so."""
    text = " ".join(run("compare", "a", "a", cwd=runs).stdout.split())
    assert text.startswith("The labels stood in the files: neither run asked its subject for an answer. No difference")
