"""A fake subject with all access, which counts what it is asked."""

from collections import Counter
from dataclasses import replace

import numpy as np
from tests.fakes import FakeModel, fake_subject

from dokimasia.core import (
    EmbeddingGradient,
    Embeddings,
    LensReading,
    Message,
    PooledActivations,
    SpanActivations,
    TokenContrast,
    Trained,
    TrainedClassifier,
)
from dokimasia.models.steering import steered_identity

LAYERS = 4
SITES = {"layers": (1, 3), "pools": ("last", "mean"), "max_tokens": 100}


class Inside(FakeModel):
    """Shows and changes everything; counts each question, and each site of each conversation that it computed."""

    def __init__(self, *, told=lambda: None, **settings):
        super().__init__(**settings)
        self.sites, self.batches, self.questions, self._told = Counter(), [], Counter(), told

    def activations(self, conversations, *, layers, pools, max_tokens):
        self._called()
        self._told()
        self.batches.append(len(conversations))
        self.sites.update((repr(talk), layer, pool) for talk in conversations for layer in layers for pool in pools)
        values = [[[numbers(talk, layer, pool) for pool in pools] for layer in layers] for talk in conversations]
        long = tuple(row for row, talk in enumerate(conversations) if "long" in talk[-1].content)
        return PooledActivations(
            values=np.array(values), layers=layers, pools=pools, truncated=len(long), truncated_rows=long
        )

    def span_activations(self, conversations, spans, *, layers, max_tokens):
        self.questions["spans"] += 1
        rows = tuple((row, place) for row, wanted in enumerate(spans) for place in range(len(wanted)))
        values = np.array([[numbers(row, layer, "span") for layer in layers] for row in rows])
        values[0] = np.nan
        return SpanActivations(values=values, rows=rows, layers=tuple(layers), truncated=(0,))

    def logit_lens(self, conversations, *, layers, position=-1, top=10):
        self.questions["lens"] += 1
        return [
            tuple(
                LensReading(layer=layer, tokens=(1, 2), texts=("a", "\ud800"), logprobs=(-0.1, -float("inf")))
                for layer in layers
            )
            for _ in conversations
        ]

    def embedding_gradients(self, conversations, objectives):
        self.questions["gradients"] += 1
        return [
            EmbeddingGradient(
                tokens=(4, 5),
                objective=float("nan") if isinstance(objective, TokenContrast) else 1 / 3,
                embeddings=numbers(objective, 0, "e")[None],
                gradient=numbers(objective, 1, "g")[None].astype(np.float64),
            )
            for objective in objectives
        ]

    def embed(self, texts):
        self.questions["embed"] += 1
        return Embeddings(values=np.stack([numbers(text) for text in texts]), truncated=1)

    def train(self, examples, training, *, folder):
        self.questions["train"] += 1
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "training.json").write_text(repr(examples))
        child = replace(fake_subject(self), identity=replace(fake_subject().identity, digest=repr(examples)))
        return Trained(subject=child, folder=folder, losses=(1.0,))

    def train_classifier(self, examples, training, *, folder):
        self.questions["train"] += 1
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "training.json").write_text(repr(examples))
        return TrainedClassifier(classifier=self.load_classifier(folder), folder=folder, losses=(1.0,))

    def load_classifier(self, folder):
        return Odds(self, (folder / "training.json").read_text())


class Odds:
    def __init__(self, model, taught):
        self._model, self._taught = model, taught

    def log_odds(self, conversations):
        self._model.questions["odds"] += 1
        return np.array([float(len(self._taught)) + len(talk) / 3 for talk in conversations])


class Steering:
    """Steers into subjects that can be steered again."""

    def __init__(self, model, identity):
        self._model, self._identity = model, identity

    def steered(self, interventions):
        return inside(self._model, steered_identity(self._identity, interventions))


def inside(model, identity=None):
    identity = identity or fake_subject().identity
    return replace(
        fake_subject(model),
        identity=identity,
        spans=model,
        lens=model,
        gradients=model,
        trainable=model,
        embedder=model,
        steerable=Steering(model, identity),
    )


def numbers(*of):
    return np.random.default_rng(list(repr(of).encode())).normal(size=5).astype(np.float32)


def talks(count, start=0):
    return [
        [Message("user", f"{'long' if place % 7 == 3 else 'text'} {place}")] for place in range(start, start + count)
    ]
