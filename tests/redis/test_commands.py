"""What is asked, without a server: replies are handed in by the test."""

from __future__ import annotations

import pytest

from oauthcore.flow.outcome import Require
from oauthcore_redis.commands import Command, Operations
from oauthcore_redis.key_names import KeyNames
from tests.redis.things import Thing


def test_a_record_whose_spelling_changes_under_every_question_is_left_to_the_next_decision() -> None:
    flow = Operations(KeyNames("as"), 300).commit((Require(Thing("a")),))
    asked: list[Command] = [next(flow)]

    asked += [flow.send([1, b'{"key": "a"%s}' % (b" " * spaces)]) for spaces in (1, 2)]
    with pytest.raises(StopIteration) as answer:
        flow.send([1, b'{"key": "a"   }'])

    assert answer.value.value is False
    assert len(asked) == 3
    assert not any(command.is_safe for command in asked)
