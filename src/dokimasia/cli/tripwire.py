"""The commands about what must not be said: tripwire fit and tripwire check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dokimasia.cli import options as given
from dokimasia.cli.printing import print_json, print_line, print_table

tripwire = typer.Typer(
    no_args_is_help=True,
    help="What must not be said: a matcher and a probe that a monitor can load, and what they trip on.",
)


@tripwire.command()
def fit(
    facts: Annotated[
        str, typer.Argument(metavar="FACTS", help="A file of facts; `bundled` are those of how models are tested.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where the tripwire is written.")],
    model: Annotated[
        str, typer.Option(metavar="MODEL", help="The local model that the probe is of; `none` for words alone.")
    ] = "bundled",
    ordinary: Annotated[
        str, typer.Option(metavar="FILE", help="Transcripts of ordinary use, to set the threshold on; or `bundled`.")
    ] = "bundled",
    fpr: Annotated[float, typer.Option(help="Share of ordinary replies that may trip the probe.")] = 0.01,
    seed: given.Seed = None,
    as_json: given.AsJson = False,
    device: given.Device = None,
    dtype: given.Dtype = None,
    device_map: given.DeviceMap = None,
    trust_remote_code: given.TrustRemoteCode = None,
    base: given.Base = None,
    revision: given.Revision = None,
    chat_template: given.ChatTemplate = None,
) -> int:
    """Make a tripwire of facts that must not be said, and say how often it trips on other things."""
    named = dict(locals())
    for name in ("facts", "out", "ordinary", "fpr", "as_json"):
        del named[name]
    from dokimasia.study.progress import Display
    from dokimasia.study.request import request
    from dokimasia.study.tripwires import fit_tripwire
    from dokimasia.study.tripwires.report import MISLEADS

    asked = request(named)
    with Display(Console(stderr=True), 0.0) as watch:
        found = fit_tripwire(
            facts,
            model=None if model == "none" else model,
            ordinary=ordinary,
            fpr=fpr,
            seed=asked.seed,
            folder=out,
            loading=asked.loading,
            watch=watch,
        )
    if as_json:
        print_json(found.raw)
        return 0
    console = Console()
    print_line(found.headline, console)
    print_table(found.table(), console)
    for remark in (found.table().note, *found.tripwire.remarks, MISLEADS):
        print_line(f"- {remark}", console)
    print(out)
    return 0


@tripwire.command()
def check(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A tripwire that `tripwire fit` wrote.")],
    transcripts: Annotated[str, typer.Argument(metavar="FILE", help="Transcripts to try it on, in any common form.")],
    model: Annotated[
        str | None, typer.Option(metavar="MODEL", help="The model that the probe is of (default: the matcher alone).")
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(metavar="ROLE", help="Listen to this role, too: user, system or tool. May be repeated."),
    ] = None,
    as_json: given.AsJson = False,
    field: given.Field = None,
    limit: given.Limit = None,
    skip_bad: given.SkipBad = None,
    device: given.Device = None,
    dtype: given.Dtype = None,
    device_map: given.DeviceMap = None,
    trust_remote_code: given.TrustRemoteCode = None,
    base: given.Base = None,
    revision: given.Revision = None,
    chat_template: given.ChatTemplate = None,
) -> int:
    """Which of these transcripts trip it, on what, and where?

    Listens to the assistant. Ends with exit code 4 if something trips.
    """
    named = dict(locals())
    for name in ("folder", "transcripts", "model", "also", "as_json"):
        del named[name]
    from dokimasia.study.request import request
    from dokimasia.study.tripwires import check_tripwire

    asked = request(named)
    found = check_tripwire(
        folder, transcripts, model=model, also=also or (), reading=asked.reading, loading=asked.loading
    )
    if as_json:
        print_json(found.raw)
    else:
        console = Console()
        print_line(found.headline, console)
        if found.alarms:
            print_table(found.table(), console)
        for remark in found.remarks:
            print_line(f"- {remark}", console)
    return 4 if found.alarms else 0
