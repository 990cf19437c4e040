"""Words, and pieces of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression

from dokimasia.core import Access, Transcript
from dokimasia.instruments.common.discriminators.dense import centred
from dokimasia.instruments.common.discriminators.discriminator import LONGEST_TEXT, Scores

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Words:
    """TF-IDF (sublinear) of word 1-2-grams and character 2-4-grams, logistic regression with C = 10."""

    name: str = "words"
    access: Access = "none"

    def features(self, transcripts: Sequence[Transcript]) -> WordFeatures:
        texts = [item.input_text[:LONGEST_TEXT] for item in transcripts]
        cut = sum(len(item.input_text) > LONGEST_TEXT for item in transcripts)
        blocks = tuple(_counts(vectorizer, texts) for vectorizer in (word_vectorizer(), character_vectorizer()))
        notes = (f"Of {cut} inputs only the first {LONGEST_TEXT:,} characters were read for words.",) if cut else ()
        return WordFeatures(blocks, notes)


@dataclass(frozen=True, eq=False)
class WordFeatures:
    """Sparse counts, one block a kind of n-gram; IDF and vocabulary are taken from the training rows of each fit."""

    blocks: tuple[Any, ...]
    notes: tuple[str, ...] = ()
    c: float = 10.0

    def fit_score(
        self,
        train: NDArray[np.int64],
        positive: NDArray[np.bool_],
        groups: NDArray[np.int64],
        test: NDArray[np.int64],
        *,
        seed: int,
    ) -> Scores:
        fitted, held_out = [], []
        for block in self.blocks:
            rows = block[train]
            seen = np.flatnonzero(rows.getnnz(axis=0))
            transform = TfidfTransformer(sublinear_tf=True).fit(rows[:, seen])
            fitted.append(transform.transform(rows[:, seen]))
            held_out.append(transform.transform(block[test][:, seen]))
        model = LogisticRegression(C=self.c, solver="liblinear", dual=False, random_state=seed, max_iter=200)
        rows = sparse.hstack(fitted, format="csr")
        model.fit(rows, positive)
        return centred(model.decision_function(rows), model.decision_function(sparse.hstack(held_out, format="csr")))


def word_vectorizer() -> CountVectorizer:
    """Word 1-2-grams; a word has two letters or digits at least."""
    return CountVectorizer(ngram_range=(1, 2), dtype=np.float64)


def character_vectorizer() -> CountVectorizer:
    """Character 2-4-grams."""
    return CountVectorizer(analyzer="char", ngram_range=(2, 4), dtype=np.float64)


def _counts(vectorizer: CountVectorizer, texts: Sequence[str]) -> Any:
    try:
        return vectorizer.fit_transform(texts).tocsr()
    except ValueError:
        return sparse.csr_matrix((len(texts), 0))
