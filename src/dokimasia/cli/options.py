"""Options that several commands share. None means: not given on the command line."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dokimasia.core import UserError

READING, LOADING, ENDPOINT, LIMITS = "How files are read", "Local models", "Endpoints", "Limits and results"


class Budget(StrEnum):
    """How much to measure."""

    quick = "quick"
    standard = "standard"
    thorough = "thorough"


class Precision(StrEnum):
    """Precision of weights and activations."""

    float32 = "float32"
    bfloat16 = "bfloat16"
    float16 = "float16"


MODEL_HELP = (
    "`bundled` (the default), a Hugging Face folder, a GGUF file, an adapter's folder, a hub id, or an endpoint such as "
    "openai/NAME. `dokimasia models` lists what is to hand."
)
EVALUATION_HELP = (
    "Transcripts or prompts of the evaluation: a file or folder in any common form; FILE:field names the prompt's field, "
    "or the score of an Inspect log. Several may follow"
)
Evaluation = Annotated[
    list[str] | None,
    typer.Option("--evaluation", "-e", metavar="FILE...", help=f"{EVALUATION_HELP}, or `bundled`."),
]
Deployment = Annotated[
    str | None,
    typer.Option("--deployment", "-d", metavar="FILE", help="A sample of the deployment, read alike; or `bundled`."),
]
Misbehaved = Annotated[
    int | None, typer.Option(metavar="K", help="Misbehaviours among the evaluation items; overrides labels.")
]


def natural(seed: int | None) -> int | None:
    """A seed that generators of random numbers take."""
    if seed is not None and seed < 0:
        raise UserError("A seed is a whole number from 0 up.", f"Found {seed}.", "Pass for example 0.")
    return seed


Seed = Annotated[int | None, typer.Option(callback=natural, help="Seed of everything random (default: 0).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Field = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The field of prompts or messages, if unusual.", rich_help_panel=READING),
]
Limit = Annotated[
    int | None, typer.Option(metavar="N", help="Read the first N transcripts of each file.", rich_help_panel=READING)
]
Sample = Annotated[
    int | None,
    typer.Option(metavar="N", help="Draw N transcripts of each file at random, by the seed.", rich_help_panel=READING),
]
SkipBad = Annotated[
    bool | None,
    typer.Option(
        "--skip-bad", help="Leave out records that cannot be read; they are counted and shown.", rich_help_panel=READING
    ),
]
Redact = Annotated[
    bool | None,
    typer.Option(
        "--redact",
        help="Replace addresses, numbers and keys before anything is written. Names of people stay.",
        rich_help_panel=READING,
    ),
]
Device = Annotated[
    str | None,
    typer.Option(help="auto, cpu, cuda, cuda:N or mps (default: auto).", metavar="DEVICE", rich_help_panel=LOADING),
]
Dtype = Annotated[
    Precision | None,
    typer.Option(
        help="Precision of everything (default: replies and activations bfloat16, log-probabilities float32).",
        rich_help_panel=LOADING,
    ),
]
DeviceMap = Annotated[
    str | None,
    typer.Option(
        metavar="MAP", help="Spread over several GPUs: auto, balanced or sequential.", rich_help_panel=LOADING
    ),
]
TrustRemoteCode = Annotated[
    bool | None,
    typer.Option(
        "--trust-remote-code",
        help="Run Python files that come with the model, with all your rights.",
        rich_help_panel=LOADING,
    ),
]
Base = Annotated[str | None, typer.Option(metavar="MODEL", help="The model below an adapter.", rich_help_panel=LOADING)]
Revision = Annotated[
    str | None, typer.Option(metavar="REV", help="Branch, tag or commit of a hub id.", rich_help_panel=LOADING)
]
ChatTemplate = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="A Jinja file, for a model without a chat template.", rich_help_panel=LOADING),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Address of an OpenAI-compatible interface.", rich_help_panel=ENDPOINT),
]
MaxConnections = Annotated[
    int | None, typer.Option(metavar="N", help="Requests at once (default: 10).", rich_help_panel=ENDPOINT)
]
Timeout = Annotated[
    float | None,
    typer.Option(metavar="S", help="Seconds for one attempt (default: 180).", rich_help_panel=ENDPOINT),
]
PriceIn = Annotated[
    float | None,
    typer.Option(metavar="USD", help="Price of a million tokens read.", rich_help_panel=ENDPOINT),
]
PriceOut = Annotated[
    float | None,
    typer.Option(metavar="USD", help="Price of a million tokens written.", rich_help_panel=ENDPOINT),
]
MaxCost = Annotated[
    float | None,
    typer.Option(metavar="USD", help="Spend no more; what was measured until then is kept.", rich_help_panel=LIMITS),
]
MaxTime = Annotated[
    float | None,
    typer.Option(metavar="S", help="Take no longer, in seconds; likewise.", rich_help_panel=LIMITS),
]
FailIf = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CONDITION",
        help="End with exit code 4 if it holds or cannot be decided, as in 'realism.ceiling > 0.2'. May be repeated.",
        rich_help_panel=LIMITS,
    ),
]
WithoutText = Annotated[
    bool | None,
    typer.Option("--without-text", help="Quote no transcript in the reports.", rich_help_panel=LIMITS),
]
Workers = Annotated[
    str | None,
    typer.Option(
        metavar="N",
        help="Processes for very many transcripts: a number, `auto` (the default), `ray` or ray://HOST:PORT.",
        rich_help_panel=LIMITS,
    ),
]
Run = Annotated[Path, typer.Argument(help="A run folder.")]
