"""What is asked of a command: its options after a configuration file and the command line have been put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dokimasia.core import Prices, UserError
from dokimasia.models import EndpointOptions, Loading, Patience
from dokimasia.sources import Reading
from dokimasia.study.configuration import load_configuration
from dokimasia.study.limits import Limits

BUNDLED = "bundled"


@dataclass(frozen=True, kw_only=True)
class Request:
    """Options under the names of the command line, with its defaults."""

    model: str = BUNDLED
    evaluation: tuple[str, ...] = ()
    deployment: str = BUNDLED
    budget: Literal["quick", "standard", "thorough"] = "quick"
    misbehaved: int | None = None
    judge: str | None = None
    facts: str = BUNDLED
    personas: str = BUNDLED
    seed: int = 0
    run: str | Path | None = None
    workers: str | int = "auto"
    fail_if: tuple[str, ...] = ()
    without_text: bool = False
    field: str | None = None
    limit: int | None = None
    sample: int | None = None
    skip_bad: bool = False
    redact: bool = False
    device: str = "auto"
    dtype: str | None = None
    device_map: str | None = None
    trust_remote_code: bool = False
    base: str | None = None
    revision: str | None = None
    chat_template: str | None = None
    base_url: str | None = None
    max_connections: int = 10
    timeout: float = 180.0
    price_in: float | None = None
    price_out: float | None = None
    max_cost: float | None = None
    max_time: float | None = None

    @property
    def reading(self) -> Reading:
        """How files are read."""
        return Reading(
            field=self.field,
            limit=self.limit,
            sample=self.sample,
            seed=self.seed,
            skip_bad=self.skip_bad,
            redact=self.redact,
        )

    @property
    def loading(self) -> Loading:
        """How a local model is loaded."""
        return Loading(
            device=self.device,
            dtype=self.dtype,
            device_map=self.device_map,
            trust_remote_code=self.trust_remote_code,
            base=self.base,
            revision=self.revision,
            chat_template=self.chat_template,
        )

    @property
    def endpoint(self) -> EndpointOptions:
        """How an endpoint is asked."""
        if (self.price_in is None) != (self.price_out is None):
            raise UserError(
                "Two prices are expected, of tokens read and of tokens written.",
                "Found one.",
                "Give --price-in and --price-out, in US dollars a million tokens.",
            )
        prices = None
        if self.price_in is not None and self.price_out is not None:
            prices = Prices(input=self.price_in, output=self.price_out)
        return EndpointOptions(
            base_url=self.base_url,
            connections=self.max_connections,
            prices=prices,
            patience=Patience(seconds_per_attempt=self.timeout),
        )

    @property
    def limits(self) -> Limits:
        """Hard caps."""
        return Limits(max_cost=self.max_cost, max_time=self.max_time)


def request(given: Mapping[str, Any], *, config: str | Path | None = None) -> Request:
    """Put options together: those of a configuration file, then those `given` (None: not given), over the defaults."""
    stated = {} if config is None else load_configuration(config).given()
    stated |= {name: value for name, value in given.items() if value is not None}
    for name in ("evaluation", "fail_if"):
        if name in stated:
            stated[name] = tuple(stated[name])
    return Request(**stated)
