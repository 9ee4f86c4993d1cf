"""Next best actions (V15): a shop's rules over the public fields of scores."""

from streamer.scoring.actions.playbook import (
    LEAVE_ALONE,
    NO_ACTIONS,
    Cap,
    Choice,
    Playbook,
    PlaybookError,
    Rule,
)

__all__ = ["LEAVE_ALONE", "NO_ACTIONS", "Cap", "Choice", "Playbook", "PlaybookError", "Rule"]
