"""The command line as a user meets it: in a process of its own, at 80 columns."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fakes import transcripts


def run(*arguments, cwd, **environment):
    return subprocess.run(
        [sys.executable, "-m", "dokimasia", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "80", **environment},
        timeout=280,
        check=False,
    )


def write(path: Path, items) -> Path:
    rows = [
        {
            "messages": [{"role": message.role, "content": message.content} for message in item.messages],
            "misbehaved": {"yes": True, "no": False}.get(item.misbehaved),
        }
        for item in items
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    return (
        write(folder / "tests.jsonl", transcripts(40, style="test", source="a", misbehaved=["no"] * 39 + ["yes"])),
        write(folder / "more.jsonl", transcripts(20, style="test", source="a", seed=5, misbehaved=["no"] * 20)),
        write(folder / "logs.jsonl", transcripts(60, style="plain", source="b")),
    )


def test_the_first_screen_shows_the_two_commands(tmp_path):
    """Help fits 80 columns and names what a newcomer types."""
    for arguments in ([], ["--help"]):
        shown = run(*arguments, cwd=tmp_path)
        text = shown.stdout + shown.stderr
        assert "dokimasia audit" in text
        assert "dokimasia realism --evaluation" in text
        assert max(map(len, text.splitlines())) <= 80
    assert run("--help", cwd=tmp_path).returncode == 0
    assert run("--version", cwd=tmp_path).stdout.startswith("dokimasia ")


def test_realism_prints_one_object(files, tmp_path):
    """--json has every promised key; several files may follow one option; labels are counted."""
    tests, more, logs = files
    shown = run("realism", "--evaluation", tests, more, "--deployment", logs, "--json", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    data = json.loads(shown.stdout)
    assert (data["n_evaluation"], data["n_deployment"], data["misbehaved"]) == (60, 60, 1)
    assert set(data) >= {
        "rate_bound",
        "discriminators",
        "strongest",
        "clean_equivalent",
        "effective_sample_size",
        "controls",
    }
    for item in data["discriminators"]:
        assert set(item) >= {"name", "auc", "tpr_at_1pct_fpr", "exposure", "ceiling"}
        assert set(item["auc"]) == set(item["tpr_at_1pct_fpr"]) == {"value", "low", "high"}
        assert set(item["exposure"]) == {"value", "share", "h", "m"}
        assert set(item["ceiling"]) == {"value", "basis"}
    assert set(data["strongest"]) >= {"name", "ceiling", "exposure"}
    assert set(data["clean_equivalent"]) == {"low", "high"}
    again = run("realism", "-e", tests, "-e", more, "-d", logs, "--json", cwd=tmp_path)
    assert again.stdout == shown.stdout


def test_realism_reads_at_eighty_columns(files, tmp_path):
    """The table view fits, and its first line is the headline."""
    tests, _, logs = files
    shown = run("realism", "--evaluation", tests, "--deployment", logs, cwd=tmp_path)
    assert shown.returncode == 0
    assert shown.stdout.startswith("40 items, 1 misbehaviour:")
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_realism_without_a_model_loads_no_torch(files, tmp_path):
    """Format and words alone: torch, transformers, inspect_ai and matplotlib stay unloaded."""
    tests, _, logs = files
    code = (
        "import sys\nfrom dokimasia.cli import main\n"
        f"try: main(['realism', '--evaluation', {str(tests)!r}, '--deployment', {str(logs)!r}, '--json'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'torch', 'transformers', 'inspect_ai', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert shown.returncode == 0, shown.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "There is none"),
        (b"", "The file is empty"),
        (b'{"prompt": "a"}\n{"prompt": \n', "line 2: a JSON value is expected"),
        (b'{"prompt": "a"}\n', "Found 1 and 60"),
        (b'{"prompt": "a\xff"}\n', "0xff"),
        (b'{"other": 1}\n', "Found the keys 'other'"),
    ],
)
def test_a_users_mistake_ends_with_two_and_one_message(files, tmp_path, content, message):
    """Expected, found, what to do; no traceback; exit code 2."""
    path = tmp_path / "bad.jsonl"
    if content is not None:
        path.write_bytes(content)
    shown = run("realism", "--evaluation", path, "--deployment", files[2], cwd=tmp_path)
    assert shown.returncode == 2
    assert message in shown.stderr
    assert "Traceback" not in shown.stderr
    assert shown.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["realism"],
        ["realism", "--evaluation", "x"],
        ["nonsense"],
        ["audit", "--budget", "huge"],
        ["audit", "no-such-folder"],
        ["report", "no-such-run"],
        ["report"],
        ["realism", "--delta", "abc", "-e", "x", "-d", "y"],
    ],
)
def test_wrong_commands_end_with_two(tmp_path, arguments):
    """Whatever is wrong with a command, it is told in a few lines."""
    shown = run(*arguments, cwd=tmp_path)
    assert shown.returncode == 2
    assert "Traceback" not in shown.stderr
    assert shown.stderr.strip()


@pytest.mark.parametrize("value", ["0", "1", "-1", "nan"])
def test_a_delta_that_is_no_probability_is_refused(files, tmp_path, value):
    """Delta lies between 0 and 1."""
    shown = run("realism", "-e", files[0], "-d", files[2], f"--delta={value}", cwd=tmp_path)
    assert shown.returncode == 2
    assert "delta" in shown.stderr


def test_a_dry_run_prints_the_cost_and_does_nothing(tiny, tmp_path):
    """Calls, tokens and seconds for each instrument and in total; no run folder."""
    shown = run("audit", tiny("llama"), "--dry-run", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    for word in (
        "behaviour",
        "realism",
        "awareness",
        "anomalies",
        "total",
        "calls",
        "tokens",
        "seconds",
        "Nothing was measured",
    ):
        assert word in shown.stdout
    assert not list(tmp_path.iterdir())
    plan = json.loads(run("audit", tiny("llama"), "--dry-run", "--json", cwd=tmp_path).stdout)
    assert set(plan["cost"]) == {"behaviour", "realism", "awareness", "anomalies", "knowledge", "personas"}


def test_an_audit_ends_with_the_reports_path(tiny, files, tmp_path):
    """The last line is a file that exists; the report can be made again; terminal output fits 80 columns."""
    shown = run("audit", tiny("llama"), "--evaluation", files[0], "--deployment", files[2], "--run", "r", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    last = shown.stdout.strip().splitlines()[-1]
    assert (tmp_path / last).is_file()
    assert last.endswith("report.html")
    assert max(map(len, shown.stdout.splitlines())) <= 80
    again = run("report", "r", cwd=tmp_path)
    assert again.stdout.strip() == last
    assert json.loads(run("report", "r", "--json", cwd=tmp_path).stdout)["claims"]


def test_sigterm_is_an_interruption(tiny, tmp_path):
    """Terminated in the middle: exit code 130, and a partial report is left."""
    import signal
    import time

    process = subprocess.Popen(
        [sys.executable, "-m", "dokimasia", "audit", str(tiny("llama")), "--run", "r"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and not list((tmp_path / "r" / "calls").glob("*.npz")):
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "takes up from there" in errors
    assert "interrupted" in (tmp_path / "r" / "report.html").read_text()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["-e", "a", "b", "-d", "c"], ["-e", "a", "-e", "b", "-d", "c"]),
        (["--evaluation=a", "b", "--json"], ["--evaluation", "a", "--evaluation", "b", "--json"]),
        (["audit", "m", "-e", "a"], ["audit", "m", "-e", "a"]),
        (["audit", "-e"], ["audit", "-e"]),
        (["audit", "-e", "-d", "c"], ["audit", "-e", "-d", "c"]),
    ],
)
def test_several_files_may_follow_one_option(given, meant):
    """`--evaluation A B` is spread out before it is parsed, and an option without a file is left to be refused."""
    from dokimasia.cli.entry import _spread

    assert _spread(given) == meant
