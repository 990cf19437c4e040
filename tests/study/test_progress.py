import io

from rich.console import Console

from dokimasia.study.progress import Display


def test_plain_lines_where_there_is_no_terminal():
    """Without a terminal there are no control characters, and every instrument is named at its beginning and end."""
    stream = io.StringIO()
    with Display(Console(file=stream, force_terminal=False, width=80), 10.0) as display:
        display.begin("behaviour", 6.0)
        display.advance(3.0, found=False)
        display.finish("behaviour", "measured")
        display.begin("realism", 4.0)
        display.finish("realism", "measured")
    text = stream.getvalue()
    assert "\x1b" not in text
    assert "behaviour: 0% of the run done" in text
    assert "realism: 60% of the run done" in text
    assert text.count("measured") == 2


def test_a_bar_with_the_time_left_on_a_terminal():
    """On a terminal a bar shows the share done and how long is left."""
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=80, legacy_windows=False)
    with Display(console, 10.0) as display:
        display.begin("behaviour", 10.0)
        display.advance(5.0, found=False)
        display._bar.refresh()
        assert "50%" in stream.getvalue()
        assert "left" in stream.getvalue()


def test_what_was_found_is_no_measure_of_speed():
    """Batches that were answered before count as done, and not as work from which the time left is told."""
    stream = io.StringIO()
    with Display(Console(file=stream, force_terminal=False, width=80), 10.0) as display:
        display.begin("behaviour", 10.0)
        display.advance(9.0, found=True)
        display.begin("behaviour", 10.0)
    assert "90% of the run done" in stream.getvalue()
    assert "left" not in stream.getvalue()
