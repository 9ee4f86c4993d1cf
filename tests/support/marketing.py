"""The packaged segments, compiled once, and shops that go by them."""

import tomllib
from dataclasses import replace
from functools import cache
from typing import Any

from streamer.pipeline import Configuration
from streamer.scoring.actions import Playbook
from streamer.scoring.actions.definitions import playbook_of
from streamer.scoring.segments import Segmentation
from streamer.scoring.segments.definitions import segments_of
from streamer.settings import packaged
from tests.support.histories import configuration


@cache
def segments() -> Segmentation:
    """Return the built-in segments."""
    return segments_of(tomllib.loads(packaged("segments")), {}, "")


@cache
def actions() -> Playbook:
    """Return the packaged rules of actions."""
    return playbook_of(tomllib.loads(packaged("actions")), segments(), "")


def marketing(**how: Any) -> Configuration:
    """Return ``configuration`` with segments and actions."""
    return replace(configuration(**how), segmentation=segments(), playbook=actions())
