"""The commands that ask what a model knows and who lives in it: knowledge and personas."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dokimasia.cli import options as given
from dokimasia.cli.printing import print_finding, print_json

Model = Annotated[str, typer.Option(metavar="MODEL", help="A local model or an endpoint.")]
Much = Annotated[given.Budget, typer.Option(help="How much to measure.")]
Kept = Annotated[Path | None, typer.Option(metavar="FOLDER", help="Keep the finding, a report and every answer there.")]


def knowledge(
    facts: Annotated[
        str, typer.Argument(metavar="FACTS", help="Facts that it should not know: YAML, JSON or TOML; or `bundled`.")
    ] = "bundled",
    model: Model = "bundled",
    baseline: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="A model that cannot know them: what it solves needs no knowledge."),
    ] = None,
    budget: Much = given.Budget.standard,
    seed: given.Seed = None,
    run: Kept = None,
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
    """Does the model know something that it should not?

    Asks it, sets it puzzles, looks inside, and trains it, each beside facts that nobody and that everybody knows.
    """
    named = dict(locals())
    for name in ("facts", "baseline", "as_json", "budget"):
        del named[name]
    from dokimasia.study.knowledge import knowledge as measure
    from dokimasia.study.progress import Display
    from dokimasia.study.request import request

    asked = request(named)
    with Display(Console(stderr=True), 0.0) as watch:
        finding = measure(
            facts,
            model=model,
            baseline=baseline,
            budget=budget.value,
            seed=asked.seed,
            run=run,
            loading=asked.loading,
            endpoint=asked.endpoint,
            watch=watch,
        )
    if as_json:
        print_json(finding.raw)
    else:
        print_finding(finding, Console())
    return 0


def personas(
    sets: Annotated[
        str,
        typer.Argument(metavar="SETS", help="Roles, traits, questions and scripts of yours, beside the bundled ones."),
    ] = "bundled",
    model: Model = "bundled",
    untrained: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="The base model before post-training: what all roles have in common."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write role vectors, trait vectors and axis there.")
    ] = None,
    budget: Much = given.Budget.standard,
    seed: given.Seed = None,
    run: Kept = None,
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
    """Which characters live in the model, and where does conversation carry it?

    Lets it speak in many roles, maps its voices, and follows it through conversations.
    """
    named = dict(locals())
    for name in ("sets", "untrained", "out", "as_json", "budget"):
        del named[name]
    from dokimasia.study.personas import personas as measure
    from dokimasia.study.progress import Display
    from dokimasia.study.request import request

    asked = request(named)
    with Display(Console(stderr=True), 0.0) as watch:
        finding = measure(
            sets,
            model=model,
            base=untrained,
            out=out,
            budget=budget.value,
            seed=asked.seed,
            run=run,
            loading=asked.loading,
            endpoint=asked.endpoint,
            watch=watch,
        )
    if as_json:
        print_json(finding.raw)
    else:
        print_finding(finding, Console())
    return 0
