"""The story: one line for a call that nobody came between, and the schedule in lines for those that overlap."""

from __future__ import annotations

from oauthcore.testing.story import Story


def test_calls_one_after_the_other_are_one_line_each() -> None:
    story = Story()
    for answer in ("None", "True"):
        story.ends(story.begins("", "find Client a"), "", answer)

    assert story.lines() == ["find Client a -> None", "find Client a -> True"]


def test_calls_that_overlap_are_told_where_they_began_and_where_they_were_answered() -> None:
    story = Story()
    one = story.begins("contender 1: ", "commit nothing")
    story.ends(story.begins("contender 2: ", "find Client a"), "contender 2: ", "None")
    three = story.begins("contender 3: ", "purge 1 2")
    story.ends(one, "contender 1: ", "True")
    story.ends(three, "contender 3: ", "0")

    assert story.lines() == [
        "contender 1: commit nothing -> …",
        "contender 2: find Client a -> None",
        "contender 3: purge 1 2 -> …",
        "contender 1: … -> True",
        "contender 3: … -> 0",
    ]


def test_a_call_that_is_never_answered_is_told() -> None:
    story = Story()
    story.begins("contender 1: ", "commit nothing")
    story.begins("contender 2: ", "commit nothing")

    assert story.lines() == ["contender 1: commit nothing -> no answer", "contender 2: commit nothing -> no answer"]


def test_a_story_begins_anew() -> None:
    story = Story()
    story.begins("", "commit nothing")
    story.clear()

    assert story.lines() == []
