"""Progress of steps: one line each, with what was said last."""

from __future__ import annotations

from crq.hw.cli.progress import heard_by, steps_shown


def test_a_step_shows_what_it_said_and_ends() -> None:
    with steps_shown(quiet=True) as bar:
        heard = heard_by(bar)
        heard("synthesis", "Info: 12 cells")
        heard("place and route", "placing")
        heard("synthesis", "")
    first, second = bar.tasks
    assert (first.description, first.fields["said"], first.finished) == ("synthesis", "", True)
    assert (second.description, second.fields["said"], second.finished) == ("place and route", "placing", False)
