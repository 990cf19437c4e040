"""The command that asks again, on a schedule: knowledge-again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dokimasia.cli import options as given
from dokimasia.cli.printing import print_json, print_line


def asking_again(
    ledger: Annotated[Path, typer.Option(metavar="FILE", help="All looks, one line each; begun at the first.")],
    facts: Annotated[
        str, typer.Argument(metavar="FACTS", help="Facts that it should not know: YAML, JSON or TOML; or `bundled`.")
    ] = "bundled",
    model: Annotated[
        str, typer.Option(metavar="MODEL", help="The model as it is now: a local one or an endpoint.")
    ] = "bundled",
    alpha: Annotated[
        float, typer.Option(help="Probability that a model that never learns ever alarms, at any look.")
    ] = 0.05,
    per_look: Annotated[
        int, typer.Option(metavar="N", help="Rounds of puzzles that each fact and control is put at a look.")
    ] = 2,
    planned: Annotated[
        int, typer.Option(metavar="N", help="About so many looks will follow the first; more are allowed.")
    ] = 30,
    checkpoint: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Which state of the model this is, where its weights do not tell."),
    ] = None,
    seed: given.Seed = None,
    as_json: given.AsJson = False,
    device: given.Device = None,
    dtype: given.Dtype = None,
    device_map: given.DeviceMap = None,
    trust_remote_code: given.TrustRemoteCode = None,
    base: given.Base = None,
    revision: given.Revision = None,
    chat_template: given.ChatTemplate = None,
    base_url: given.BaseUrl = None,
    max_connections: given.MaxConnections = None,
    timeout: given.Timeout = None,
    price_in: given.PriceIn = None,
    price_out: given.PriceOut = None,
) -> int:
    """Has the model come to know the facts since it was first asked?

    Puts puzzles about them that were not put before, and adds the look to a ledger. One may look as often as one likes. Ends
    with exit code 4 once an alarm was raised, at this look or an earlier one.
    """
    named = dict(locals())
    for name in ("facts", "ledger", "model", "alpha", "per_look", "planned", "checkpoint", "as_json"):
        del named[name]
    from dokimasia.study.asking_again import ask_again
    from dokimasia.study.request import request

    asked = request(named)
    look = ask_again(
        facts,
        model=model,
        ledger=ledger,
        alpha=alpha,
        per_look=per_look,
        planned=planned,
        seed=asked.seed,
        checkpoint=checkpoint or "",
        loading=asked.loading,
        endpoint=asked.endpoint,
    )
    if as_json:
        print_json(look.raw)
        return 4 if look.alarm else 0
    console = Console()
    print_line(look.headline, console)
    for note in look.notes:
        print_line(f"- {note}", console)
    return 4 if look.alarm else 0
