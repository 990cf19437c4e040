"""A Hugging Face folder on disk: its tokenizer, its chat template, and its weights in the precision asked for."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dokimasia.core import Message, SubjectError
from dokimasia.models.cache import folder_digest
from dokimasia.models.extras import need_transformers

if TYPE_CHECKING:
    import torch

WEIGHT_FILES = ("*.safetensors", "pytorch_model*.bin")


class Weights:
    """Lazily loaded: looking at a folder is quick, and torch is imported when something is first computed."""

    def __init__(self, folder: Path, threads: int) -> None:
        self.folder, self.threads = folder, threads
        self._modules: dict[str, Any] = {}
        if not folder.is_dir():
            raise SubjectError(
                f"{folder} is expected to be a Hugging Face model folder, or the name `bundled`.",
                "There is no such folder.",
                "Check the path, or leave it out for the bundled model.",
            )
        found = sorted(path.name for path in folder.iterdir())[:8]
        if not (folder / "config.json").is_file() or not any(any(folder.glob(name)) for name in WEIGHT_FILES[:1]):
            raise SubjectError(
                f"{folder} is expected to hold config.json and *.safetensors.",
                f"Found {', '.join(found) or 'an empty folder'}.",
                "Save the model there with save_pretrained(), tokenizer included.",
            )

    @cached_property
    def digest(self) -> str:
        return folder_digest(self.folder)

    @cached_property
    def parameters(self) -> int:
        """Number of parameters, from the headers of the weight files (a shared tensor counts once)."""
        total = 0
        for path in sorted(self.folder.glob("*.safetensors")):
            try:
                with path.open("rb") as stream:
                    size = int.from_bytes(stream.read(8), "little")
                    header = json.loads(stream.read(min(size, 1 << 28)))
            except (OSError, ValueError) as error:
                raise SubjectError(
                    f"{path} is expected to be a safetensors file.",
                    f"Its header is broken ({error}).",
                    "Copy it again.",
                ) from error
            for name, entry in header.items():
                if name != "__metadata__":
                    count = 1
                    for length in entry["shape"]:
                        count *= length
                    total += count
        return total

    @cached_property
    def tokenizer(self) -> Any:
        need_transformers()
        from transformers import AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(self.folder)
        except (OSError, ValueError, KeyError) as error:
            raise SubjectError(
                f"{self.folder} is expected to hold a tokenizer.",
                f"Loading it failed: {_first_line(error)}",
                "Save the tokenizer there with save_pretrained().",
            ) from error
        if not getattr(tokenizer, "chat_template", None):
            raise SubjectError(
                f"{self.folder} is expected to hold a chat template, since conversations are examined.",
                "The tokenizer has none: this looks like a base model.",
                "Use the instruction-tuned version, or put its chat_template.jinja into the folder.",
            )
        return tokenizer

    @cached_property
    def end_of_turn(self) -> frozenset[int]:
        """Tokens that end a reply, from the generation configuration and the tokenizer."""
        ends = {self.tokenizer.eos_token_id}
        path = self.folder / "generation_config.json"
        if path.is_file():
            declared = json.loads(path.read_text()).get("eos_token_id")
            ends.update(declared if isinstance(declared, list) else [declared])
        ends.discard(None)
        if not ends:
            raise SubjectError(
                f"{self.folder} is expected to name an end-of-turn token.",
                "Neither the tokenizer nor generation_config.json has one.",
                "Set eos_token in tokenizer_config.json.",
            )
        return frozenset(ends)

    @cached_property
    def padding(self) -> int:
        pad = self.tokenizer.pad_token_id
        return int(min(self.end_of_turn) if pad is None else pad)

    @cached_property
    def _control(self) -> re.Pattern[str]:
        """Texts that the tokenizer reads as control tokens."""
        names = {*self.tokenizer.all_special_tokens, *self.tokenizer.get_added_vocab()}
        return re.compile("|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) or r"(?!)")

    def _harmless(self, text: str) -> str:
        """The same text with control tokens broken by a zero-width space: a transcript cannot forge a turn."""
        return self._control.sub(lambda found: f"{found.group()[0]}\u200b{found.group()[1:]}", text)

    def encode(self, conversation: Sequence[Message], *, reply: str | None = None) -> list[int]:
        """Token ids of a rendered conversation, open for the assistant's turn (which then begins with `reply`)."""
        from jinja2.exceptions import TemplateError

        turns = [{"role": message.role, "content": self._harmless(message.content)} for message in conversation]
        try:
            text = self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        except TemplateError as error:
            raise SubjectError(
                "The model's chat template is expected to take these roles: "
                + ", ".join(dict.fromkeys(message.role for message in conversation))
                + ".",
                f"It refuses: {_first_line(error)}",
                "Fold system messages into the user's turn, and let user and assistant alternate.",
            ) from error
        return list(self.tokenizer.encode(text + (reply or ""), add_special_tokens=False))

    def encode_text(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def decode(self, tokens: Sequence[int]) -> str:
        return str(self.tokenizer.decode(list(tokens), skip_special_tokens=True))

    def module(self, dtype: str) -> torch.nn.Module:
        """The model in `bfloat16` or `float32`, loaded once and ready for inference."""
        if dtype not in self._modules:
            need_transformers()
            import torch
            from transformers import AutoModelForCausalLM

            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    module = AutoModelForCausalLM.from_pretrained(self.folder, dtype=getattr(torch, dtype))
            except (OSError, ValueError, KeyError, RuntimeError) as error:
                raise SubjectError(
                    f"{self.folder} is expected to hold a causal language model.",
                    f"Loading it failed: {_first_line(error)}",
                    "Check that the weights are complete and that transformers knows the architecture.",
                ) from error
            torch.set_num_threads(self.threads)
            self._modules[dtype] = module.eval().requires_grad_(False)
        found: torch.nn.Module = self._modules[dtype]
        return found


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
