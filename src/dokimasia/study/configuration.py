"""An audit's options from a TOML file: every key checked, paths relative to the file, no secrets."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from dokimasia.core import UserError
from dokimasia.sources.redact import redact_text

BUNDLED = "bundled"
SECRET = re.compile(r"(?i)(api|secret|access).?key|password|secret|^token|_token")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class ReadingSection(_Section):
    """How transcripts are read."""

    field: Annotated[str | None, Field(min_length=1, examples=["conversation"])] = None
    """The field that holds the prompt or the messages, where it is none of the usual ones."""
    limit: Annotated[int | None, Field(ge=1, examples=[10_000])] = None
    """Read so many transcripts of each file at most, the first."""
    sample: Annotated[int | None, Field(ge=1, examples=[2_000])] = None
    """Draw so many transcripts of each file at random, by the seed."""
    skip_bad: Annotated[bool | None, Field(examples=[True])] = None
    """Leave out records that cannot be read, count and show them, instead of refusing the file."""
    redact: Annotated[bool | None, Field(examples=[True])] = None
    """Replace addresses, numbers and keys before anything is written. Names of people are not removed."""


class LoadingSection(_Section):
    """How a local model is loaded."""

    device: Annotated[str | None, Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$", examples=["cuda:0"])] = None
    """Where it runs: auto, cpu, mps, cuda or cuda:N."""
    dtype: Annotated[Literal["float32", "bfloat16", "float16"] | None, Field(examples=["bfloat16"])] = None
    """Precision of everything; without it replies and activations use bfloat16, log-probabilities float32."""
    device_map: Annotated[
        Literal["auto", "balanced", "balanced_low_0", "sequential"] | None, Field(examples=["auto"])
    ] = None
    """Spread one model over several GPUs, in place of `device`."""
    trust_remote_code: Annotated[bool | None, Field(examples=[False])] = None
    """Run Python files that come with the model, with all your rights."""
    base: Annotated[str | None, Field(min_length=1, examples=["models/base"])] = None
    """The model below an adapter that does not name one to be found here: a folder, a file or a hub id."""
    revision: Annotated[str | None, Field(min_length=1, examples=["main"])] = None
    """Branch, tag or commit of a hub id."""
    chat_template: Annotated[str | None, Field(min_length=1, examples=["templates/chat.jinja"])] = None
    """A Jinja file, for a model without a chat template."""


class EndpointSection(_Section):
    """How an endpoint is asked. Its key is taken from the environment, never from here."""

    base_url: Annotated[str | None, Field(pattern=r"^https?://[^\s@]+$", examples=["http://localhost:8000/v1"])] = None
    """Address of the interface; without it the provider's own."""
    max_connections: Annotated[int | None, Field(ge=1, examples=[10])] = None
    """Requests at once."""
    timeout: Annotated[float | None, Field(gt=0, allow_inf_nan=False, examples=[180.0])] = None
    """Seconds that one attempt may take."""
    price_in: Annotated[float | None, Field(ge=0, allow_inf_nan=False, examples=[0.15])] = None
    """US dollars a million tokens read."""
    price_out: Annotated[float | None, Field(ge=0, allow_inf_nan=False, examples=[0.6])] = None
    """US dollars a million tokens written."""


class LimitsSection(_Section):
    """Hard caps. What was measured until one is reached is a valid partial result."""

    max_cost: Annotated[float | None, Field(gt=0, allow_inf_nan=False, examples=[5.0])] = None
    """US dollars."""
    max_time: Annotated[float | None, Field(gt=0, allow_inf_nan=False, examples=[3600.0])] = None
    """Seconds."""


class Configuration(_Section):
    """The options of an audit. Those that are left out have the defaults of the command line, which also overrides them."""

    model: Annotated[str | None, Field(min_length=1, examples=["models/mine"])] = None
    """The subject: `bundled`, a folder, a GGUF file, an adapter, a hub id or an endpoint such as `openai/NAME`."""
    evaluation: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...] | None,
        Field(strict=False, min_length=1, examples=[["tests.jsonl", "more.jsonl:query", "bundled"]]),
    ] = None
    """Files of the evaluation; `FILE:field` names the prompt's field, `bundled` adds dokimasia's own items."""
    deployment: Annotated[str | None, Field(min_length=1, examples=["logs.jsonl"])] = None
    """A sample of the deployment, read alike, or `bundled`."""
    budget: Annotated[Literal["quick", "standard", "thorough"] | None, Field(examples=["standard"])] = None
    """How much to measure."""
    misbehaved: Annotated[int | None, Field(ge=0, examples=[0])] = None
    """Misbehaviours among the evaluation items; overrides labels. Not together with bundled items."""
    judge: Annotated[str | None, Field(min_length=1, examples=["models/judge"])] = None
    """Another model, to judge answers to bundled items that no stated rule can."""
    facts: Annotated[str | None, Field(min_length=1, examples=["facts.yaml"])] = None
    """Facts that the subject should not know: YAML, JSON or TOML, or `bundled`."""
    personas: Annotated[str | None, Field(min_length=1, examples=["personas.yaml"])] = None
    """Roles, traits, questions and scripts beside the bundled ones."""
    seed: Annotated[int | None, Field(ge=0, examples=[0])] = None
    """Seed of everything random."""
    run: Annotated[str | None, Field(min_length=1, examples=["runs/mine"])] = None
    """The run folder."""
    workers: Annotated[
        Annotated[int, Field(ge=1)] | Literal["auto", "ray"] | Annotated[str, Field(pattern=r"^ray://\S+$")] | None,
        Field(union_mode="left_to_right", examples=[2]),
    ] = None
    """Processes that work at once, `auto` for as many as there are cores, `ray` or `ray://HOST:PORT` for a cluster."""
    fail_if: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...] | None,
        Field(strict=False, examples=[["realism.ceiling > 0.2"]]),
    ] = None
    """Conditions, each of which ends the audit with exit code 4 if it holds or cannot be decided."""
    without_text: Annotated[bool | None, Field(examples=[True])] = None
    """Write reports that quote no transcript."""
    reading: ReadingSection = ReadingSection()
    loading: LoadingSection = LoadingSection()
    endpoint: EndpointSection = EndpointSection()
    limits: LimitsSection = LimitsSection()

    def given(self) -> dict[str, Any]:
        """What the file sets, without its sections: names are those of the command line, with underscores."""
        found: dict[str, Any] = {}
        for name in sorted(self.model_fields_set):
            value = getattr(self, name)
            if isinstance(value, _Section):
                found |= {key: getattr(value, key) for key in sorted(value.model_fields_set)}
            else:
                found[name] = list(value) if isinstance(value, tuple) else value
        return {name: value for name, value in found.items() if value is not None}


SECTIONS: dict[str, type[BaseModel]] = {
    name: type(field.default)
    for name, field in Configuration.model_fields.items()
    if isinstance(field.default, _Section)
}
"""The tables of the file, in order."""


def load_configuration(path: str | Path) -> Configuration:
    """Read and check a configuration file. Paths in it are relative to its folder.

    Raises `UserError`, with the line where it can be told, for anything that is not as the documents say.
    """
    file = Path(path)
    text = _text(file)
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UserError(f"{file}: TOML is expected.", f"Found: {error}.", "Mend that line.") from error
    _refuse_secrets(values, file, text)
    try:
        configuration = Configuration.model_validate(values)
    except ValidationError as error:
        raise _told(error, file, text) from error
    return _anchored(configuration, file.parent)


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{file}: text in UTF-8 is expected.", f"Found the byte 0x{error.object[error.start]:02x}.", "Convert it."
        ) from error
    except OSError as error:
        raise UserError(
            f"{file}: a configuration file is expected.", f"{error.strerror}.", "Check the path."
        ) from error


def _refuse_secrets(values: dict[str, Any], file: Path, text: str, above: tuple[str, ...] = ()) -> None:
    for name, value in values.items():
        place = (*above, name)
        if isinstance(value, dict):
            _refuse_secrets(value, file, text, place)
        notes: Counter[str] = Counter()
        for item in value if isinstance(value, list) else [value]:
            redact_text(str(item), notes=notes)
        if notes["keys and secrets replaced"] or SECRET.search(name):
            raise UserError(
                f"{_where(file, text, place)}: no keys and no passwords are expected in a configuration file.",
                f"Found something like one under `{name}`.",
                "Set it in the environment (such as OPENAI_API_KEY), and renew it if others saw the file.",
            )


def _told(error: ValidationError, file: Path, text: str) -> UserError:
    """The first mistake, unknown keys first, since a key that is misspelt explains what is missing."""
    problems = sorted(error.errors(include_url=False), key=lambda item: item["type"] != "extra_forbidden")
    problem = problems[0]
    place = tuple(map(str, problem["loc"][: 2 if problem["loc"][0] in SECTIONS else 1]))
    others = len({item["loc"][:2] if item["loc"][0] in SECTIONS else item["loc"][0] for item in problems}) - 1
    further = f" ({others} more)" if others else ""
    if problem["type"] == "extra_forbidden":
        return _unknown(place, _where(file, text, place), further)
    *above, name = place
    section = SECTIONS.get(above[0], Configuration) if above else Configuration
    if name in SECTIONS:
        return UserError(
            f"{_where(file, text, place)}: a table [{name}] is expected.",
            f"Found {toml(problem['input'])[:80]}{further}.",
            f"Its keys are {', '.join(SECTIONS[name].model_fields)}.",
        )
    field = section.model_fields[name]
    return UserError(
        f"{_where(file, text, place)}: `{name}` is expected to be {kind(field)}.",
        f"Found {toml(problem['input'])[:80]}{further}.",
        f"{field.description} Write it like this: {name} = {toml(field.examples[0]) if field.examples else '...'}",
    )


def _unknown(place: tuple[str, ...], where: str, further: str) -> UserError:
    known = [
        *Configuration.model_fields,
        *(f"{name}.{key}" for name, part in SECTIONS.items() for key in part.model_fields),
    ]
    whole = ".".join(place)
    elsewhere = [name for name in known if name.rpartition(".")[2] == place[-1]]
    close = elsewhere or difflib.get_close_matches(whole, known, n=1, cutoff=0.6)
    close = close or [name for name in known if difflib.get_close_matches(place[-1], [name.rpartition(".")[2]], n=1)]
    section, _, key = close[0].rpartition(".") if close else ("", "", "")
    meant = f"`{key}`" + (f" in [{section}]" if section else " before any table")
    return UserError(
        f"{where}: a key that an audit knows is expected.",
        f"Found `{whole}`{further}.",
        f"Did you mean {meant}?" if close else f"The keys are {', '.join(known)}.",
    )


def kind(field: FieldInfo) -> str:
    """What a value must be, in words."""
    example = field.examples[0] if field.examples else ""
    parts = [*_parts(field.annotation), *field.metadata]
    if isinstance(example, bool):
        return "true or false"
    if isinstance(example, list):
        return "a list of texts"
    found = [
        repr(choice).replace("'", '"') for part in parts if get_origin(part) is Literal for choice in get_args(part)
    ]
    if isinstance(example, int | float):
        low = next((f" of {part.ge} or more" for part in parts if getattr(part, "ge", None) is not None), "")
        low = low or next((f" above {part.gt}" for part in parts if getattr(part, "gt", None) is not None), "")
        found.insert(0, f"a {'whole ' if isinstance(example, int) else ''}number{low}")
    return " or ".join(found) or "a text"


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    yield from annotation.metadata if isinstance(annotation, FieldInfo) else ()
    for part in get_args(annotation) if get_origin(annotation) is not Literal else ():
        yield from _parts(part)


def toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _where(file: Path, text: str, place: tuple[str, ...]) -> str:
    """The file, and the line on which a key stands, if it can be told."""
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), 1):
        if header := re.match(r"\s*\[\s*([\w.-]+)\s*\]", line):
            table = tuple(header[1].split("."))
            if table == place:
                return f"{file}, line {number}"
        elif (key := re.match(r"\s*\"?([\w.-]+)\"?\s*=", line)) and (*table, *key[1].split(".")) == place:
            return f"{file}, line {number}"
    return str(file)


def _anchored(configuration: Configuration, folder: Path) -> Configuration:
    """The same with paths that hold from where the command is run."""

    def path(value: str | None) -> str | None:
        return value if value in (None, BUNDLED) else str(folder / Path(value).expanduser())

    def model(value: str | None) -> str | None:
        """A name may be a hub id: it is a path if it looks like one, or if something stands there."""
        if value is None or value == BUNDLED:
            return value
        there = folder / Path(value).expanduser()
        return str(there) if value.startswith((".", "/", "~")) or there.exists() else value

    loading = configuration.loading
    evaluation = configuration.evaluation and tuple(str(path(item)) for item in configuration.evaluation)
    moved: dict[str, Any] = {
        "model": model(configuration.model),
        "judge": model(configuration.judge),
        "evaluation": evaluation,
        "deployment": path(configuration.deployment),
        "facts": path(configuration.facts),
        "personas": path(configuration.personas),
        "run": path(configuration.run),
    }
    inner = {"base": model(loading.base), "chat_template": path(loading.chat_template)}
    if any(inner.values()):
        moved["loading"] = loading.model_copy(update={name: value for name, value in inner.items() if value})
    return configuration.model_copy(update={name: value for name, value in moved.items() if value})
