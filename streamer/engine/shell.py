"""What the task of a partition asks of the worker around it."""

from typing import TYPE_CHECKING, Protocol

from streamer.engine.counting import Pace
from streamer.engine.rounds import Rounds
from streamer.engine.scoring import SharedScoring
from streamer.pipeline import Configuration
from streamer.records.models import ModelParams
from streamer.settings import Settings

if TYPE_CHECKING:
    from streamer.engine.store.store import Store


class Shell(Protocol):
    """A worker, as one of its partitions sees it."""

    settings: Settings
    pace: Pace
    configuration: Configuration
    scoring: SharedScoring
    rounds: Rounds

    @property
    def model(self) -> ModelParams | None:
        """The newest model."""

    def caught_up(self, number: int) -> bool:
        """Return whether the partition's topics have been read to their ends."""

    async def still_assigned(self, number: int) -> bool:
        """Ask the group's coordinator whether the partition is this worker's."""

    async def seek(self, number: int) -> None:
        """Put the consumer where the partition's checkpoint says."""

    async def open_store(self, number: int) -> "Store | None":
        """Return the partition's local store; None where rows are kept in memory."""

    def pause(self, number: int) -> None:
        """Fetch nothing for the partition for now."""

    def resume(self, number: int) -> None:
        """Fetch for the partition again."""

    async def crash(self, error: BaseException) -> None:
        """End the worker because of ``error``."""
