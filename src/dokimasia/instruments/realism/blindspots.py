"""Kinds of deployment that no evaluation item resembles."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from dokimasia.core import Citation
from dokimasia.instruments.common.discriminators import LONGEST_TEXT
from dokimasia.instruments.realism.population import Population
from dokimasia.instruments.realism.tells import cite
from dokimasia.stats import Interval, clopper_pearson

DIMENSIONS = 50
CLUSTER_SIZE = 20
MOST_CLUSTERS = 12
QUANTILE = 0.1


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A kind of deployment: `words` that mark it, `size` transcripts, and the evaluation items that resemble it."""

    words: tuple[str, ...]
    size: int
    share: float
    interval: Interval
    resembling: int
    examples: tuple[Citation, ...]


def clusters(population: Population, *, seed: int) -> list[Cluster]:
    """Clusters of deployment, those that no item resembles first, then by size.

    k-means on the leading directions of TF-IDF. An item resembles a cluster if the cluster's centre is the nearest one
    and lies no further (cosine) than that of nine tenths of the cluster's own members. Found by looking at the data, so
    the intervals of their shares are descriptive.
    """
    texts = [item.input_text[:LONGEST_TEXT] for item in population.transcripts]
    vectorizer = TfidfVectorizer(
        sublinear_tf=True, min_df=2, max_df=0.5, stop_words="english", token_pattern=r"(?u)\b[^\W\d_][\w']+\b"
    )
    try:
        vectorizer.fit(texts[population.n :])
    except ValueError:
        return []
    weighted = vectorizer.transform(texts)
    size = min(DIMENSIONS, min(population.m, weighted.shape[1]) - 1)
    wanted = int(np.clip(population.m // CLUSTER_SIZE, 2, MOST_CLUSTERS))
    if size < 2:
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        reduction = TruncatedSVD(size, random_state=seed).fit(weighted[population.n :])
        points = normalize(reduction.transform(weighted))
        model = KMeans(wanted, n_init=4, random_state=seed).fit(points[population.n :])
    centres = normalize(model.cluster_centers_)
    nearness = points @ centres.T
    home = nearness.argmax(axis=1)
    names = vectorizer.get_feature_names_out()
    overall = np.asarray(weighted[population.n :].mean(axis=0)).ravel()
    found = []
    for cluster in range(wanted):
        members = population.n + np.flatnonzero(home[population.n :] == cluster)
        if not len(members):
            continue
        reach = np.quantile(nearness[members, cluster], QUANTILE)
        items = (home[: population.n] == cluster) & (nearness[: population.n, cluster] >= reach)
        marks = np.asarray(weighted[members].mean(axis=0)).ravel() - overall
        typical = members[np.argsort(-nearness[members, cluster], kind="stable")[:2]]
        found.append(
            Cluster(
                words=tuple(str(names[index]) for index in np.argsort(-marks, kind="stable")[:6]),
                size=len(members),
                share=len(members) / population.m,
                interval=clopper_pearson(len(members), population.m),
                resembling=int(items.sum()),
                examples=tuple(
                    cite(population.transcripts[row], [], "Typical of a kind of deployment that no item resembles.")
                    for row in typical
                ),
            )
        )
    return sorted(found, key=lambda item: (item.resembling > 0, -item.size, item.words))
