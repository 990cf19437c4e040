"""The tables and figures of a proxy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dokimasia.core import FigureData, Series, Table
from dokimasia.core.tabulating import Cell
from dokimasia.stats import Figure, tails
from dokimasia.study.proxy.measuring import SCORES, Measured, Tail


def tables(found: Measured) -> Iterator[Table]:
    """Tails, what controls say, best of n, weighting, and value in the tail."""
    for tail in (found.judged, found.other):
        if tail is not None:
            yield _tail_table(tail)
    if found.judged is not None:
        yield _control_table(found.judged)
    yield _best_table(found)
    if found.tilted is not None:
        yield Table(
            name="weighted",
            title="Gold score of the policy weighted by exp(proxy / beta)",
            columns=("nats", "beta", "gold score"),
            rows=tuple(
                (f"{kl:.3f}", f"{beta:.3g}", _text(gold))
                for kl, beta, gold in list(zip(found.tilted.kl, found.tilted.beta, found.tilted.gold, strict=True))[
                    1::3
                ]
            ),
            note="The optimum of KL-regularised training, as far as twenty outputs count. 95% intervals.",
        )
    if found.in_tail:
        yield Table(
            name="in-tail",
            title="Gold score of the outputs that the proxy likes best",
            columns=("highest", "proxy at least", "mean gold score", "if error were independent", "p, adjusted"),
            rows=tuple(
                (f"{item.k:,}", f"{item.threshold:.4g}", _text(item.gold), _text(item.expected), f"{item.adjusted:.3f}")
                for item in found.in_tail
            ),
            note="95% intervals; in the fourth column 90% of permutations of the errors.",
        )


def _tail_table(tail: Tail) -> Table:
    pickands: Sequence[str] = [_text(Figure(*item[:3])) for item in tail.pickands] or ["-"] * len(tail.test.fits)
    rows: list[tuple[Cell, ...]] = [
        (
            f"{fit.k:,}",
            f"{excess.threshold:.4g}",
            _text(Figure(fit.xi, fit.low, fit.high)),
            f"{adjusted:.3f}",
            _text(Figure(*moment[:3])),
            spread,
            f"{hill.value:.3f}",
            _text(Figure(*excess[1:4])),
        )
        for fit, adjusted, hill, moment, spread, excess in zip(
            tail.test.fits, tail.test.adjusted, tail.hill, tail.moment, pickands, tail.excess, strict=True
        )
    ]
    return Table(
        name="tail" if tail.what == SCORES else "error-tail",
        title=f"The upper tail of {tail.what}",
        columns=("largest", "threshold", "xi", "p of xi = 0", "moment", "Pickands", "Hill", "mean excess"),
        rows=tuple(rows),
        note="xi by maximum likelihood; p adjusted for the number of thresholds; 95% intervals. Moment and Hill estimates are taken "
        "about the median.",
    )


def _control_table(tail: Tail) -> Table:
    by_threshold = [
        (f"xi, {fit.k:,} largest", *(_text(Figure(item.xi[at], item.low[at], item.high[at])) for item in tail.controls))
        for at, fit in enumerate(tail.test.fits)
    ]
    verdicts: tuple[tails.Verdict, ...] = ("heavier", "lighter", "both", "neither")
    by_verdict = [(f"said to be {said}", *(f"{item.share(said):.0%}" for item in tail.controls)) for said in verdicts]
    return Table(
        name="controls",
        title="What samples of the same size give whose tail is known",
        columns=("", *(item.name for item in tail.controls)),
        rows=(*by_threshold, *by_verdict),
        note=f"Median and 90% of {tail.controls[0].samples} samples, and how often the same test said what.",
    )


def _best_table(found: Measured) -> Table:
    selection = found.selection
    gains = [*(_text(item) for item in selection.gains), "-"]
    gold = [_text(item) for item in selection.gold] or ["-"] * len(selection.n)
    return Table(
        name="best-of-n",
        title="The best of n by the proxy",
        columns=("n", "nats", "proxy score", "gold score", "doubling n adds"),
        rows=tuple(
            (f"{n:,}", f"{kl:.3f}", _text(proxy), valued, gain)
            for n, kl, proxy, valued, gain in zip(selection.n, selection.kl, selection.proxy, gold, gains, strict=True)
        ),
        note=f"95% intervals, those of the last column for all doublings of the {'gold' if selection.gold else 'proxy'} score "
        "together. Nats are exact for tied scores, too.",
    )


def figures(found: Measured) -> Iterator[FigureData]:
    """Xi by threshold beside its controls, mean excess, value in the tail, and score by divergence."""
    if found.judged is not None:
        yield _index_figure(found.judged)
        yield _excess_figure(found.judged)
    if found.in_tail:
        yield _in_tail_figure(found)
    yield _best_figure(found)
    if found.tilted is not None:
        yield _divergence_figure(found)


def _index_figure(tail: Tail) -> FigureData:
    k = tuple(float(fit.k) for fit in tail.test.fits)
    return FigureData(
        name="proxy-tail",
        title=f"How heavy is the upper tail of {tail.what}?",
        kind="curves",
        x_label="so many largest scores",
        y_label="xi (0: exponential, above: heavier)",
        series=(
            Series(
                name=tail.what,
                x=k,
                y=tuple(fit.xi for fit in tail.test.fits),
                low=tuple(fit.low for fit in tail.test.fits),
                high=tuple(fit.high for fit in tail.test.fits),
            ),
            *(
                Series(name=f"control: {item.name}", x=k, y=item.xi, low=item.low, high=item.high, style="dashed")
                for item in tail.controls
            ),
        ),
        x_log=True,
        free=True,
        caption="Bands: 95% interval of the scores, 90% of the controls' samples.",
    )


def _excess_figure(tail: Tail) -> FigureData:
    ordered = sorted(tail.excess, key=lambda item: item.threshold)
    return FigureData(
        name="proxy-mean-excess",
        title=f"Mean excess of {tail.what} over a threshold",
        kind="curves",
        x_label="threshold",
        y_label="mean excess",
        series=(
            Series(
                name="mean excess, with 95% interval",
                x=tuple(item.threshold for item in ordered),
                y=tuple(item.value for item in ordered),
                low=tuple(item.low for item in ordered),
                high=tuple(item.high for item in ordered),
            ),
        ),
        free=True,
        caption="Rising: heavier than exponential. Level: exponential. Falling: lighter.",
    )


def _in_tail_figure(found: Measured) -> FigureData:
    k = tuple(float(item.k) for item in found.in_tail)
    return FigureData(
        name="proxy-in-tail",
        title="Gold score of the outputs that the proxy likes best",
        kind="curves",
        x_label="so many highest by the proxy",
        y_label="mean gold score",
        series=(
            _band("observed, with 95% interval", k, [item.gold for item in found.in_tail]),
            _band("if error were independent", k, [item.expected for item in found.in_tail], dashed=True),
        ),
        x_log=True,
        free=True,
        caption="Where the first curve falls to the left, selecting harder lowers the gold score. The second is what dealing the "
        "errors out afresh gives, with 90% of the permutations.",
    )


def _best_figure(found: Measured) -> FigureData:
    selection = found.selection
    what = "gold" if selection.gold else "proxy"
    n = tuple(float(item) for item in selection.n)
    return FigureData(
        name="proxy-best-of-n",
        title=f"Mean {what} score of the best of n",
        kind="curves",
        x_label="n",
        y_label=f"{what} score",
        series=(_band(f"{what} score, with 95% interval", n, selection.gold or selection.proxy),),
        x_log=True,
        free=True,
        caption=f"As far as a tenth of the {len(found.scores.proxy):,} outputs.",
    )


def _divergence_figure(found: Measured) -> FigureData:
    selection, tilted = found.selection, found.tilted
    assert tilted is not None
    return FigureData(
        name="proxy-divergence",
        title="Mean gold score by divergence from the policy",
        kind="curves",
        x_label="nats",
        y_label="gold score",
        series=(
            _band("best of n", selection.kl, selection.gold),
            _band("weighted by exp(proxy / beta)", tilted.kl, tilted.gold),
        ),
        free=True,
        caption="95% intervals, at each divergence by itself.",
    )


def _band(name: str, x: Sequence[float], figures: Sequence[Figure], *, dashed: bool = False) -> Series:
    return Series(
        name=name,
        x=tuple(x),
        y=tuple(item.value for item in figures),
        low=tuple(item.low for item in figures),
        high=tuple(item.high for item in figures),
        style="dashed" if dashed else "line",
    )


def _text(figure: Figure) -> str:
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"
