"""What is said of a proxy: the answer, its estimates and its caveats."""

from __future__ import annotations

from collections.abc import Iterator

from dokimasia.core import Estimate
from dokimasia.core.rounding import number_down, number_up, percent
from dokimasia.stats import Figure
from dokimasia.study.proxy.measuring import Measured, Tail
from dokimasia.theory.goodhart import nats_for

QUESTION = "Is this reward safe to optimise, and how hard?"
MISLEADS = (
    "A tail is a property of a reward and a policy together: the same reward model can be light-tailed on one policy's outputs and "
    "heavy-tailed on another's, and training moves the policy. Sample from the policy that is to be optimised, and sample again."
)
RARE = -100.0
ALARM = 0.05


def headline(found: Measured) -> str:
    """The answer in a few sentences."""
    said = [] if found.scores.gold is None else [_optimising(found)]
    said.append(_tail_says(found) if found.judged else _no_tail(found))
    if found.in_tail:
        said.append(_independence(found))
    return " ".join(said)


def _optimising(found: Measured) -> str:
    selection = found.selection
    helps, hurts, last = selection.helps_to, selection.hurts_from, selection.n[-1]
    nats = dict(zip(selection.n, selection.kl, strict=True))
    if hurts is None and helps == last:
        return (
            f"Best of n raises the gold score up to n = {last:,} ({nats[last]:.1f} nats), which is as far as "
            f"{len(found.scores.proxy):,} outputs can show."
        )
    rises = (
        "Selection by this proxy is not shown to raise the gold score at all"
        if helps is None
        else f"Best of n is shown to raise the gold score up to n = {helps:,} ({nats[helps]:.1f} nats)"
    )
    if hurts is None:
        return f"{rises}, and nothing more is shown, either way, up to n = {last:,}."
    return f"{rises}; from n = {hurts:,} ({nats[hurts]:.1f} nats) on, more selection lowers it."


def _tail_says(found: Measured) -> str:
    tail = found.judged
    assert tail is not None
    if tail.test.verdict == "neither":
        return _silence(tail)
    heavy = tail.test.verdict != "lighter"
    compared = {"heavier": "heavier than exponential", "lighter": "lighter than exponential"}.get(
        tail.test.verdict, "heavier than exponential at one threshold and lighter at another"
    )
    start = f"The upper tail of {tail.what} is {compared} ({_where(tail)})"
    if found.scores.gold is not None:
        return f"{start}: " + (
            "if it goes on like this, strong selection leaves errors and no gain in the gold score."
            if heavy
            else "were it independent of the gold score, selection would go on raising that as far as the sample reaches."
        )
    return f"{start}: " + (
        "if it goes on like this, no penalty on divergence bounds the score, and if it is the error that is heavy, strong "
        "selection takes the value back to its mean. Find out with a gold score before you optimise hard."
        if heavy
        else "an error that does not depend on the value is as light. Whether it depends on it takes a gold score to see."
    )


def _where(tail: Tail) -> str:
    seen = [fit for fit, p in zip(tail.test.fits, tail.test.adjusted, strict=True) if p <= ALARM]
    ends = [seen[0], seen[-1]] if len(seen) > 1 else seen
    stated = " to ".join(
        f"{fit.xi:.2f} [{number_down(fit.low, 2)}, {number_up(fit.high, 2)}] among the {fit.k:,} largest"
        for fit in ends
    )
    return f"xi = {stated}; so at {len(seen)} of {len(tail.test.fits)} thresholds"


def changing(tail: Tail) -> bool:
    """Whether xi is shown to change with the threshold: then no power law holds over the range."""
    fits = tail.test.fits
    return max(fit.low for fit in fits) > min(fit.high for fit in fits)


def _silence(tail: Tail) -> str:
    light, _, heavy = tail.controls
    sized = (
        f"of samples of this size {percent(light.share('lighter'), 0)} of normal ones are told to be lighter and "
        f"{percent(heavy.share('heavier'), 0)} of Student-t ones (3 degrees) to be heavier"
    )
    if tail.enough:
        return (
            f"The upper tail of {tail.what} cannot be told from an exponential one, and a lighter or heavier one would "
            f"probably show ({sized}): expect gains from selection to level off."
        )
    return f"There is not enough data in the tail of {tail.what} to tell it from an exponential one: {sized}."


def _no_tail(found: Measured) -> str:
    why = next(item for item in found.missing if item.what.startswith("tail of"))
    return f"The {why.what} could not be measured, because {why.why[0].lower()}{why.why[1:]}"


def _independence(found: Measured) -> str:
    seen = [item for item in found.in_tail if item.adjusted <= ALARM]
    if not seen:
        return "In the tail the gold score is what errors that do not depend on it would give, as far as can be told."
    worst = min(seen, key=lambda item: item.p)
    lower = worst.gold.value < worst.expected.value
    return (
        f"In the tail error and value depend on one another: the {worst.k:,} highest scores have a mean gold score of "
        f"{_interval(worst.gold)}, {'below' if lower else 'above'} the {worst.expected.value:.3g} that independence would give."
    )


def estimates(found: Measured) -> Iterator[Estimate]:
    """Tail indices at each threshold, and scores of the best of each n."""
    for tail in (found.judged, found.other):
        for fit in tail.test.fits if tail else ():
            yield Estimate(
                name=f"xi of {tail.what if tail else ''}, {fit.k} largest",
                value=fit.xi,
                low=fit.low,
                high=fit.high,
                level=fit.level,
                n=fit.k,
                unit="xi",
                direction="higher is heavier; 0 is exponential",
                method="generalised Pareto, profile likelihood",
            )
    selection = found.selection
    what = "proxy" if found.scores.gold is None else "gold"
    for n, figure in zip(selection.n, selection.gold or selection.proxy, strict=True):
        yield Estimate(
            name=f"{what} score, best of {n}",
            value=figure.value,
            low=figure.low,
            high=figure.high,
            level=selection.level,
            n=len(found.scores.proxy),
            unit="score",
            direction="as the score has it",
            method="mean over subsets, bootstrap over outputs",
        )


def caveats(found: Measured) -> tuple[str, ...]:
    """What the reader must know besides."""
    n = len(found.scores.proxy)
    said = [
        f"{n:,} outputs say nothing of those rarer than one in {n:,}, as a search finds them: to show an output of probability "
        f"exp({RARE:.0f}) one time in a hundred costs a policy {nats_for(0.01, RARE):.2f} nats.",
        "Outputs are taken to be independent draws from one policy. Pooled over prompts, what is selected are prompts as well as "
        "outputs: for best of n at a prompt, pass the scores of one prompt, or scores less their prompt's mean.",
    ]
    if found.judged is not None:
        said.append(
            "xi is that of the range between threshold and largest score, not a limit. Hill's estimate is positive whatever the "
            "tail, and moves with the nought of the scale: read it beside the controls only."
        )
    if found.judged is not None and changing(found.judged):
        said.append(
            "xi changes with the threshold by more than chance: no power law holds over this range. A few outputs unlike the others "
            "may make such a tail: look at the highest scores."
        )
    if any(tail is not None and tail.test.untied for tail in (found.judged, found.other)):
        said.append("Tied scores in the tail were spread evenly over the rounding step.")
    if found.scores.gold is not None:
        said.append(
            "The error is what is left of the proxy after isotonic regression on the gold score; noise of the gold score itself "
            "counts as error, and at the largest gold scores the regression follows the proxy."
        )
    if found.tilted is not None and (found.other is None or found.other.test.verdict != "lighter"):
        said.append(
            "The weighted policy exists in any sample; under the policy itself it need not, if the tail is exponential or heavier."
        )
    return tuple(said)


def _interval(figure: Figure) -> str:
    return f"{figure.value:.3g} [{figure.low:.3g}, {figure.high:.3g}]"
