"""`dokimasia theory`: one command a model. Each parses, calls one function of the theory room, and prints."""

import typer

from dokimasia.cli.theory import detection, goodhart, growth, power, selection, steps, weak_to_strong

COMMANDS = (
    steps.steps,
    goodhart.goodhart,
    selection.selection,
    weak_to_strong.weak_to_strong,
    growth.growth,
    power.power,
    detection.gate,
    detection.audits,
    detection.puzzles,
    detection.triggers,
    detection.asking,
    detection.exploring,
    detection.perfect,
)

theory = typer.Typer(
    no_args_is_help=True,
    help="What should happen: the field's quantitative models, exact where they can be, and simulated.",
)
for command in COMMANDS:
    theory.command()(command)
