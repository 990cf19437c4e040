"""A corpus through a model and into the store of activations, by as many workers as there are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from dokimasia.core import Activations, Identity, PooledActivations, Source, SubjectError, Transcript
from dokimasia.core.workers import Workers
from dokimasia.models import Loading, load_subject
from dokimasia.models.load import thread_count
from dokimasia.sources import WHOLE, Reading, locate, read_source
from dokimasia.study.activation_store import Conversation, Part, Sites, activation_store, conversation_key, fill
from dokimasia.study.evidence import BUNDLED
from dokimasia.study.progress import Silent, Watch
from dokimasia.study.workers import make_workers

LOADING = Loading()
NAME = "capture"


@dataclass(frozen=True, kw_only=True)
class Captured:
    """What a store now holds of a corpus: of which model, read where, of how many transcripts.

    `computed` rows were written now, the others were there; `truncated` transcripts were longer than `sites.max_tokens`
    or than the model's context.
    """

    identity: Identity
    sites: Sites
    transcripts: int
    computed: int
    truncated: int


def capture_corpus(
    corpus: str | Path | Source | Sequence[Transcript],
    model: str | Path = BUNDLED,
    *,
    layers: Sequence[int],
    pools: Sequence[str] = ("last", "mean"),
    max_tokens: int = 1024,
    whole: bool = False,
    store: str | Path,
    workers: str | int | AbstractContextManager[Workers] = "auto",
    loading: Loading = LOADING,
    reading: Reading = WHOLE,
    watch: Watch | None = None,
) -> Captured:
    """Put the pooled activations of a corpus, however large, into a store; what is there is not computed again.

    `corpus` is a file (`FILE` or `FILE:field`), a source, or a sequence of transcripts that may be read from disk as it
    goes. Of each transcript its input is read, as instruments do, or all of it if `whole`. `workers` is a number of
    processes, "auto", "ray" or "ray://HOST:PORT". Each loads the model once; this process writes what they compute.
    `watch` is told transcripts in place of seconds.

    The bytes stored depend neither on who computes them nor on how often this was killed and begun again; in bfloat16
    they do depend on the threads of each worker, and belong to a subject with as many. That is one thread, or as many as
    OMP_NUM_THREADS says; a single worker takes all processors.
    """
    transcripts = _transcripts(corpus, reading)
    sites = Sites(layers=tuple(layers), pools=tuple(pools), max_tokens=max_tokens)
    watch = watch or Silent()
    watch.begin(NAME, float(len(transcripts)))
    with activation_store(Path(store)) as opened, _crew(workers) as crew:
        subject = _Subject(model=_located(model), loading=loading, identity=_identity(model, loading, crew.count))
        space = opened.of(subject.identity)
        computed = 0

        def stored(conversations: Sequence[Conversation], found: bool) -> None:
            nonlocal computed
            computed += 0 if found else len(conversations)
            watch.advance(float(len(conversations)), found)

        def conversations() -> Iterator[Conversation]:
            return (item.messages if whole else item.input for item in transcripts)

        try:
            fill(space, conversations(), sites, subject, crew, stored)
        finally:
            _activations.cache_clear()
        truncated = sum(len(space.truncated([conversation_key(one)], max_tokens)) for one in conversations())
    watch.finish(NAME, f"{len(transcripts):,} transcripts are stored; {computed:,} rows were computed now")
    return Captured(
        identity=subject.identity,
        sites=sites,
        transcripts=len(transcripts),
        computed=computed,
        truncated=truncated,
    )


@dataclass(frozen=True, kw_only=True)
class _Subject:
    """What a worker carries out: the name of a model, made a subject where the work is done."""

    model: str
    loading: Loading
    identity: Identity

    def __call__(self, part: Part) -> PooledActivations:
        return _activations(self).activations(
            part.conversations, layers=part.sites.layers, pools=part.sites.pools, max_tokens=part.sites.max_tokens
        )


@lru_cache(maxsize=1)
def _activations(wanted: _Subject) -> Activations:
    """Loaded once a process."""
    if thread_count() != wanted.identity.threads:
        os.environ["OMP_NUM_THREADS"] = str(wanted.identity.threads)
    subject = load_subject(wanted.model, wanted.loading)
    found, identity = subject.identity, wanted.identity
    if (found.digest, found.dtype) != (identity.digest, identity.dtype) or subject.activations is None:
        raise SubjectError(
            f"Every worker is expected to compute with {identity.name} {identity.digest[:12]} in {identity.dtype}.",
            f"One found {found.name} {found.digest[:12]} in {found.dtype}.",
            "Give all machines the same files, and name the device if they differ in that.",
        )
    return subject.activations


def _identity(model: str | Path, loading: Loading, workers: int) -> Identity:
    subject = load_subject(model, loading)
    if subject.activations is None:
        raise SubjectError(
            "A model that runs here is expected.", f"Found {subject.identity.name}, an endpoint.", "Name local weights."
        )
    threads = subject.identity.threads if workers == 1 or "OMP_NUM_THREADS" in os.environ else 1
    return replace(subject.identity, threads=threads)


def _located(model: str | Path) -> str:
    """The same name wherever a worker stands."""
    path = Path(model).expanduser()
    return str(path.resolve()) if str(model) != BUNDLED and path.exists() else str(model)


def _transcripts(corpus: str | Path | Source | Sequence[Transcript], reading: Reading) -> Sequence[Transcript]:
    if isinstance(corpus, str | Path):
        corpus = read_source(locate(str(corpus)), reading=reading)
    return corpus.transcripts if isinstance(corpus, Source) else corpus


def _crew(workers: str | int | AbstractContextManager[Workers]) -> AbstractContextManager[Workers]:
    return make_workers(str(workers)) if isinstance(workers, str | int) else workers
