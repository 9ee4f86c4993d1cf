"""A safe expression language over the public fields of scores: CEL, evaluated column by column.

The grammar and its parser are cel-python's, an implementation of Google's Common Expression
Language; nothing of an expression ever reaches Python's own ``eval``. What comes out of the parser
is checked against the fields' kinds, and works on numpy columns: one evaluation a batch.

What is offered of CEL: ``&& || !``, ``== != < <= > >= in``, ``+ - * /``, parentheses, lists of
literals, numbers, texts, ``true``, ``false``, ``null``, and ``timestamp("2026-01-01T00:00:00Z")``.
A field that is null is not less and not more than anything: that is unknown, and unknown is not
true. As in CEL it is equal to ``null`` only, and in no list.
"""

from streamer.scoring.expressions.compilation import (
    Expression,
    ExpressionError,
    compile_flag,
    compile_number,
)
from streamer.scoring.expressions.fields import FIELDS, TOLD, Frame, Kind

__all__ = [
    "FIELDS",
    "TOLD",
    "Expression",
    "ExpressionError",
    "Frame",
    "Kind",
    "compile_flag",
    "compile_number",
]
