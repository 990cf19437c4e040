"""Growth of a field: closed forms, their limits and their inverse."""

import mpmath
import numpy as np
import pytest

from dokimasia.core import DataError
from dokimasia.theory.growth import Field, fraction_done, people_now, work, years_to_done


@mpmath.workdps(30)
def integrated(years, *, growth, past_growth=0.2, returns=1.0, history=np.inf, lag=0.0, size=1.0):
    """The work of the coming years by quadrature of what people do, in units of the work so far."""
    past, coming, power = mpmath.log1p(past_growth), mpmath.log1p(growth), mpmath.mpf(returns)

    def rate(at):
        if at <= lag:
            return mpmath.exp(power * past * at)
        return mpmath.mpf(size) ** power * mpmath.exp(power * (past * lag + coming * (at - lag)))

    def over(low, high):
        ends = mpmath.linspace(low, high, 9)
        return mpmath.quad(rate, ends) if high > low else mpmath.mpf(0)

    def before():
        if np.isinf(history):
            return mpmath.quad(lambda ago: mpmath.exp(-power * past * ago), [0, 1, 10, 100, mpmath.inf])
        return mpmath.quad(lambda ago: mpmath.exp(-power * past * ago), mpmath.linspace(0, history, 9))

    return (over(0, min(years, lag)) + over(min(years, lag), years)) / before()


@pytest.mark.parametrize("growth", [-0.999999, -0.3, -1e-12, 0.0, 1e-300, 1e-9, 0.2, 0.5, 10.0])
@pytest.mark.parametrize("returns", [0.01, 0.5, 1.0])
def test_work_is_the_integral_of_what_people_do(growth, returns):
    """To 1e-8 at every growth, the limits of no growth and of almost nobody staying among them."""
    for years, lag, size in ((1e-9, 0.0, 1.0), (5.0, 0.0, 1.0), (10.0, 2.0, 10.0), (3.0, 7.0, 10.0), (60.0, 1.5, 0.5)):
        found = work(Field(growth=growth, returns=returns, lag=lag, size=size), years)
        expected = integrated(years, growth=growth, returns=returns, lag=lag, size=size)
        assert float(found) == pytest.approx(float(expected), rel=1e-8)


@pytest.mark.parametrize(
    ("past_growth", "history"), [(0.2, 10.0), (0.0, 7.0), (-0.5, 3.0), (1e-12, 200.0), (10.0, 1e-6)]
)
@pytest.mark.parametrize("returns", [0.0, 0.7, 1.0])
def test_a_finite_past_holds_finite_work(past_growth, history, returns):
    """A past of finite length may have had any growth, or none, and any returns."""
    field = Field(growth=0.5, past_growth=past_growth, history=history, returns=returns)
    expected = integrated(8.0, growth=0.5, past_growth=past_growth, history=history, returns=returns)
    assert float(work(field, 8.0)) == pytest.approx(float(expected), rel=1e-8)


def test_no_growth_is_the_limit_of_little():
    """As growth vanishes, the share done is `f0 (1 + g_h t)`."""
    for growth in (0.0, 1e-300, 1e-15, -1e-15):
        found = fraction_done(0.1, Field(growth=growth), 7.0)
        assert float(found) == pytest.approx(0.1 * (1.0 + np.log(1.2) * 7.0), rel=1e-12)


def test_growth_as_in_the_past_multiplies_the_share():
    """At `g = g_h` the share is `f0 1.2^t`, and today it is what it is."""
    field = Field(growth=0.2)
    assert fraction_done(0.1, field, np.array([0.0, 5.0, 30.0])) == pytest.approx(
        0.1 * 1.2 ** np.array([0.0, 5.0, 30.0])
    )
    assert float(fraction_done(0.37, Field(growth=0.5, lag=3.0, returns=0.4), 0.0)) == 0.37


@pytest.mark.parametrize(
    ("done", "growth", "five", "ten", "all_done"),
    [
        (0.10, 0.2, 0.25, 0.62, 12.6),
        (0.10, 0.5, 0.40, 2.65, 7.5),
        (0.15, 0.2, 0.37, 0.93, 10.4),
        (0.15, 0.5, 0.59, 3.97, 6.4),
        (0.20, 0.2, 0.50, 1.24, 8.8),
        (0.20, 0.5, 0.79, 5.30, 5.7),
    ],
)
def test_the_published_estimate_is_reproduced(done, growth, five, ten, all_done):
    """The table of the source's case, to the digits that it gives."""
    field = Field(growth=growth)
    assert float(fraction_done(done, field, 5.0)) == pytest.approx(five, abs=0.0051)
    assert float(fraction_done(done, field, 10.0)) == pytest.approx(ten, abs=0.0051)
    assert float(years_to_done(done, field)) == pytest.approx(all_done, abs=0.051)


def test_what_the_estimate_hangs_on():
    """Returns of 0.5 take 50% a year for ten years to 0.40; a past of ten years gives 0.45 and 0.72."""
    assert float(fraction_done(0.1, Field(growth=0.5, returns=0.5), 10.0)) == pytest.approx(0.3965, rel=1e-3)
    assert float(fraction_done(0.1, Field(growth=0.5, history=10.0), 5.0)) == pytest.approx(0.4536, rel=1e-3)
    assert float(fraction_done(0.1, Field(growth=0.2, history=10.0), 10.0)) == pytest.approx(0.7192, rel=1e-3)


def test_people_at_work_today():
    """3,000 to 6,000 person-years at 20% a year were worked by a field of 547 to 1,094 people today."""
    assert people_now(np.array([3000.0, 6000.0])) == pytest.approx([546.96, 1093.93], abs=0.01)


@pytest.mark.parametrize("growth", [-0.02, 0.0, 1e-300, 1e-9, 0.2, 10.0])
@pytest.mark.parametrize("done", [1e-4, 0.1, 0.999999, 1.0])
@pytest.mark.parametrize("lag", [0.0, 2.0, 50.0])
def test_the_inverse_finds_the_year(growth, done, lag):
    """After the years that it takes, exactly all is done; where nothing finishes, the years are infinite."""
    field = Field(growth=growth, lag=lag, returns=0.8)
    years = float(years_to_done(done, field))
    if np.isinf(years):
        assert growth < 0.0
        assert float(fraction_done(done, field, 200.0)) < 1.0
    elif years <= 200.0:
        assert float(fraction_done(done, field, years)) == pytest.approx(1.0, rel=1e-8)
    else:
        assert float(fraction_done(done, field, 200.0)) < 1.0


def test_a_field_that_shrinks_may_never_finish():
    """At -50% a year all that is ever added is `g_h / |g|` of what is done."""
    edge = 1.0 / (1.0 + np.log(1.2) / np.log(2.0))
    assert np.isinf(years_to_done(edge * 0.999, Field(growth=-0.5)))
    assert np.isfinite(years_to_done(edge * 1.001, Field(growth=-0.5)))


@pytest.mark.parametrize(
    ("given", "domain"),
    [
        ({"growth": -1.0}, r"\(-1, 10\]"),
        ({"growth": np.nan}, r"\(-1, 10\]"),
        ({"growth": 0.2, "returns": 1.2}, r"\[0, 1\]"),
        ({"growth": 0.2, "history": 0.0}, r"\(0, 200\]"),
        ({"growth": 0.2, "lag": -1.0}, r"\[0, 200\]"),
        ({"growth": 0.2, "size": 0.0}, r"\(0, 1000\]"),
        ({"growth": 0.2, "past_growth": 0.0}, "endless"),
        ({"growth": np.array([0.1, np.inf])}, r"\(-1, 10\]"),
    ],
)
def test_numbers_outside_the_domain_are_refused(given, domain):
    """The message says the domain and what the limit would be."""
    with pytest.raises(DataError, match=domain):
        Field(**given)


def test_a_share_done_of_nothing_is_refused():
    """With nothing done, nothing is known of how fast it goes."""
    with pytest.raises(DataError, match="never done"):
        fraction_done(0.0, Field(growth=0.2), 5.0)
    with pytest.raises(DataError, match=r"\[0, 200\]"):
        work(Field(growth=0.2), 300.0)
