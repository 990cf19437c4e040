"""Tests that tell one kind of input from another, from outside in: format and length, words, sentence embeddings, the
subject asked outright, its activations, the subject fine-tuned to tell.

Scores are logits, centred and scaled on the training rows only; higher means more like the positive class. They are
ordered like an estimated likelihood ratio. They are not probabilities. May import what instruments share, no family.
"""

from dokimasia.instruments.common.discriminators.activations import (
    CAPTURE_BATCH,
    CAPTURE_TOKENS,
    SubjectActivations,
    capture_tokens,
)
from dokimasia.instruments.common.discriminators.asked import OneScore, SubjectAsked
from dokimasia.instruments.common.discriminators.dense import DenseFeatures, fit_dense
from dokimasia.instruments.common.discriminators.discriminator import LONGEST_TEXT, Discriminator, Features, Scores
from dokimasia.instruments.common.discriminators.embeddings import SentenceEmbeddings
from dokimasia.instruments.common.discriminators.format import FormatAndLength, format_counts
from dokimasia.instruments.common.discriminators.tuned import Taught, planned_teaching, taught
from dokimasia.instruments.common.discriminators.words import Words, character_vectorizer, word_vectorizer

__all__ = [
    "CAPTURE_BATCH",
    "CAPTURE_TOKENS",
    "LONGEST_TEXT",
    "DenseFeatures",
    "Discriminator",
    "Features",
    "FormatAndLength",
    "OneScore",
    "Scores",
    "SentenceEmbeddings",
    "SubjectActivations",
    "SubjectAsked",
    "Taught",
    "Words",
    "capture_tokens",
    "character_vectorizer",
    "fit_dense",
    "format_counts",
    "planned_teaching",
    "taught",
    "word_vectorizer",
]
