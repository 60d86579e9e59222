"""Story: one live test, named by its moral. Stories print what they counted with `note`.

    @story("a region cut off writes on and catches up", seconds=90)
    def cut_off(): ...

`seconds` is a hard limit (of the CI size; four times that for the long one).
"""

import os
from dataclasses import dataclass
from typing import Callable

LONG = os.environ.get("HAWSER_LIVE_LONG") == "1"


@dataclass
class Story:
    moral: str
    run: Callable
    seconds: float

    @property
    def name(self):
        return f"{self.run.__module__.removeprefix('test_')}.{self.run.__name__}"


STORIES = []


class Skip(Exception):
    """This machine cannot show it; the reason is printed and counted."""


def story(moral, seconds=120):
    def register(run):
        STORIES.append(Story(moral, run, seconds))
        return run

    return register


def note(text):
    print(f"    {text}", flush=True)


def size(ci, by_command):
    """How much of something: the CI size, or the larger one of `run.py --long`."""
    value = os.environ.get("HAWSER_LIVE_SIZE")
    if value:
        return int(value)
    return by_command if LONG else ci


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def check_same(readings, keys, what):
    """0 differences between regions; names the first few otherwise. `readings`: {region: {key: …}}."""
    names = list(readings)
    first = readings[names[0]]
    wrong = [key for key in keys if any(readings[name][key] != first[key] for name in names[1:])]
    if wrong:
        shown = "; ".join(
            f"{key}: " + ", ".join(f"{name} {readings[name][key]!r}" for name in names)
            for key in wrong[:5]
        )
        raise AssertionError(f"{what}: {len(wrong)} of {len(keys)} keys differ: {shown}")


def check_expected(reading, expected, what):
    wrong = [key for key in expected if reading[key] != expected[key]]
    if wrong:
        shown = "; ".join(f"{k}: is {reading[k]!r}, rule says {expected[k]!r}" for k in wrong[:5])
        raise AssertionError(f"{what}: {len(wrong)} of {len(expected)} are not what the rule names: {shown}")
