"""What the demo is doing, and what it has done: a spinner on a terminal, a line in any case."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

WORDS_WIDTH = 68


class Done:
    """What a step says once it is done."""

    def __init__(self, words: str) -> None:
        self.words = words


@contextmanager
def step(console: Console, doing: str, *, spins: bool = True) -> Iterator[Done]:
    """Show that the block is ``doing`` something, and at its end what it has done, and how long.

    Args:
        console: where it is shown.
        doing: said while it is done, and in the end unless the block says better.
        spins: not for a block that shows its progress itself.
    """
    started = time.monotonic()
    done = Done(doing)
    if spins and console.is_terminal:
        with console.status(doing):
            yield done
    else:
        yield done
    seconds = time.monotonic() - started
    console.print(f"[green]✓[/] {done.words:<{WORDS_WIDTH}} {seconds:6.1f} s", highlight=False)
