"""From an expression's text to a function of columns, each part checked against its kind."""

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from streamer.errors import StreamerError
from streamer.scoring.expressions import logic
from streamer.scoring.expressions.fields import FIELDS, Array, Frame, Kind

if TYPE_CHECKING:
    from lark import Token, Tree

LENGTH_MAX = 2_000
"""Characters of an expression: what a marketer writes is far shorter."""


class ExpressionError(StreamerError):
    """An expression is none of this language; the message says where and why."""


class Expression(Struct, frozen=True):
    """A checked expression, or a part of one."""

    kind: Kind | None
    """None is ``null``'s."""
    evaluate: Callable[[Frame], Array]
    """Returns shape (n,), or () of a constant."""
    computed: bool = True
    """Neither a field nor a literal: what is not known then is no null."""
    constant: Any = None
    """The value of a literal; of a list of literals, their tuple."""


class _Fault(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, at: "Tree[Token] | Token | None", message: str) -> None:
        super().__init__(message)
        self.at = at


def compile_flag(
    text: str, where: str, others: Mapping[str, Kind] | None = None
) -> Callable[[Frame], Array]:
    """Return a function that tells flags, shape (n,), of a batch of updates.

    Args:
        text: the expression.
        where: what it is called in errors, such as ``segment vip``.
        others: columns that the caller adds to each frame, besides the public fields.

    Raises:
        ExpressionError: it is none, or not a condition.
    """
    return _whole(text, where, "flag", others or {})


def compile_number(
    text: str, where: str, others: Mapping[str, Kind] | None = None
) -> Callable[[Frame], Array]:
    """Return a function that tells numbers, shape (n,), nan where null; as ``compile_flag``."""
    return _whole(text, where, "number", others or {})


def compile_instant(
    text: str, where: str, others: Mapping[str, Kind] | None = None
) -> Callable[[Frame], Array]:
    """Return a function that tells instants, in seconds since 1970; as ``compile_flag``."""
    return _whole(text, where, "instant", others or {})


def _whole(
    text: str, where: str, kind: Kind, others: Mapping[str, Kind]
) -> Callable[[Frame], Array]:
    try:
        tree = _parsed(text)
        found = _Compiler({**FIELDS, **others}).expression(tree)
        if found.kind != kind:
            raise _Fault(tree, f"it is a {found.kind}, a {kind} is needed")
    except _Fault as fault:
        raise ExpressionError(f"{where}: `{text}`: {_place(fault.at)}{fault}.") from None
    return lambda frame: _spread(found.evaluate(frame), len(frame))


def _once(made: Expression, tree: "Tree[Token]") -> Expression:
    """Return ``made`` such that a frame finds it once, however many conditions hold it."""
    text = repr(tree)
    return replace(made, evaluate=lambda frame: frame.once(text, made.evaluate))


def _spread(column: Array, n: int) -> Array:
    """Return ``column``, or n times the constant that it is."""
    return column if column.ndim else np.full(n, column)


def _parsed(text: str) -> "Tree[Token]":
    # Here, because loading it takes a quarter of a second that no other command should wait.
    from celpy.celparser import CELParseError, CELParser  # noqa: PLC0415

    if len(text) > LENGTH_MAX:
        raise _Fault(None, f"{len(text)} characters, {LENGTH_MAX} are allowed")
    try:
        tree: Tree[Token] = CELParser().parse(text)
    except CELParseError as error:
        raise _Fault(
            None, f"line {error.line}, column {error.column}: this cannot be read"
        ) from None
    except RecursionError:
        raise _Fault(None, "nested too deep") from None
    return tree


def _place(at: "Tree[Token] | Token | None") -> str:
    from lark import Token, Tree  # noqa: PLC0415 - as in `_parsed`

    if isinstance(at, Tree):
        at = next(at.scan_values(lambda one: isinstance(one, Token)), None)
    return "" if at is None else f"line {at.line}, column {at.column}: "


_MEMBER_OF_ONE = {"primary", "member", "paren_expr"}


class _Compiler:
    """Makes expressions of the parser's tree; the methods are named after CEL's rules."""

    def __init__(self, fields: Mapping[str, Kind]) -> None:
        self._fields = fields

    def expression(self, tree: "Tree[Token]") -> Expression:
        rule, parts = str(tree.data), tree.children
        if len(parts) == 1 and rule not in {"ident", "literal", "list_lit"}:
            return self.expression(self._tree(parts[0], tree))
        make = getattr(self, f"_{rule}", None)
        if make is None or (rule == "expr"):
            raise _Fault(tree, "this part of CEL is not offered here")
        made: Expression = make(tree)
        return _once(made, tree) if rule == "relation" else made

    @staticmethod
    def _tree(part: Any, around: "Tree[Token]") -> "Tree[Token]":
        if not hasattr(part, "children"):
            raise _Fault(around, "this part of CEL is not offered here")
        tree: Tree[Token] = part
        return tree

    # -- conditions -------------------------------------------------------------------------

    def _conditionalor(self, tree: "Tree[Token]") -> Expression:
        return self._joined(tree, np.maximum)

    def _conditionaland(self, tree: "Tree[Token]") -> Expression:
        return self._joined(tree, np.minimum)

    def _joined(self, tree: "Tree[Token]", join: Callable[[Any, Any], Array]) -> Expression:
        one, other = (self._of_kind(part, "flag") for part in tree.children)
        return Expression("flag", lambda frame: join(one.evaluate(frame), other.evaluate(frame)))

    def _relation(self, tree: "Tree[Token]") -> Expression:
        operation, right = tree.children
        one = self.expression(self._tree(operation.children[0], tree))  # type: ignore[union-attr]
        other = self.expression(self._tree(right, tree))
        name = str(operation.data)  # type: ignore[union-attr]
        if name == "relation_in":
            return self._in(tree, one, other)
        if name in {"relation_eq", "relation_ne"}:
            return self._equality(tree, one, other, equal=name == "relation_eq")
        if one.kind != other.kind:
            raise _Fault(tree, f"a {one.kind} cannot be compared with a {other.kind}")
        if one.kind not in {"number", "instant"}:
            raise _Fault(tree, f"of a {one.kind} there is no less and more")
        comparison = logic.COMPARISONS[name]
        return Expression(
            "flag",
            lambda frame: logic.ordered(comparison, one.evaluate(frame), other.evaluate(frame)),
        )

    @staticmethod
    def _equality(
        tree: "Tree[Token]", one: Expression, other: Expression, *, equal: bool
    ) -> Expression:
        """As in CEL, null is equal to null and to nothing else."""
        if other.kind is None:
            one, other = other, one
        if one.kind is None and other.kind not in {None, "flag"}:
            one = _NULLS["number" if other.kind in _NUMERIC else "text"]
        elif one.kind != other.kind or one.kind in {None, "texts"}:
            raise _Fault(tree, f"a {one.kind} cannot be compared with a {other.kind}")
        numeric = other.kind in _NUMERIC
        same = logic.equal_numbers if numeric else logic.equal_objects

        def evaluate(frame: Frame) -> Array:
            left, right = one.evaluate(frame), other.evaluate(frame)
            known = np.ones((), dtype=bool)
            for side, column in ((one, left), (other, right)):
                if side.computed:
                    known = known & logic.settled(column)
            return logic.flags(same(left, right) == equal, known)

        return Expression("flag", evaluate)

    @staticmethod
    def _in(tree: "Tree[Token]", one: Expression, other: Expression) -> Expression:
        if other.kind == "texts" and other.constant is None and isinstance(one.constant, str):
            held = one.constant
            return Expression("flag", lambda frame: logic.holding(other.evaluate(frame), held))
        options = other.constant
        kinds = {"text": str, "number": float}
        if (
            not isinstance(options, tuple)
            or one.kind not in kinds
            or not all(isinstance(option, kinds[one.kind]) for option in options)
        ):
            raise _Fault(tree, "`in` takes a field and a list of literals of its kind")
        among: Callable[..., Array] = (
            logic.among_texts if one.kind == "text" else logic.among_numbers
        )
        return Expression("flag", lambda frame: among(one.evaluate(frame), options))

    # -- numbers ----------------------------------------------------------------------------

    def _addition(self, tree: "Tree[Token]") -> Expression:
        return self._calculated(tree)

    def _multiplication(self, tree: "Tree[Token]") -> Expression:
        return self._calculated(tree)

    def _calculated(self, tree: "Tree[Token]") -> Expression:
        operation, right = tree.children
        name = str(operation.data)  # type: ignore[union-attr]
        if name not in logic.ARITHMETIC:
            raise _Fault(tree, "this part of CEL is not offered here")
        calculate = logic.ARITHMETIC[name]
        one = self._of_kind(operation.children[0], "number")  # type: ignore[union-attr]
        other = self._of_kind(right, "number")

        def evaluate(frame: Frame) -> Array:
            with np.errstate(all="ignore"):
                figures = calculate(one.evaluate(frame), other.evaluate(frame))
            # What is divided by nothing is not known.
            return np.where(np.isfinite(figures), figures, np.nan)

        return Expression("number", evaluate)

    def _unary(self, tree: "Tree[Token]") -> Expression:
        sign, part = tree.children
        if str(sign.data) == "unary_not":  # type: ignore[union-attr]
            inner = self._of_kind(part, "flag")
            return Expression("flag", lambda frame: logic.TRUE - inner.evaluate(frame))
        inner = self._of_kind(part, "number")
        return Expression("number", lambda frame: -inner.evaluate(frame))

    def _of_kind(self, part: Any, kind: Kind) -> Expression:
        found = self.expression(part)
        if found.kind != kind:
            raise _Fault(part, f"this is a {found.kind or 'null'}, a {kind} is needed here")
        return found

    # -- names and literals -----------------------------------------------------------------

    def _ident(self, tree: "Tree[Token]") -> Expression:
        (token,) = tree.children
        name = str(token)
        kind = self._fields.get(name)
        if kind is None:
            near = get_close_matches(name, self._fields, 1)
            hint = f" (`{near[0]}`, perhaps)" if near else ""
            raise _Fault(tree, f"there is no field `{name}`{hint}")
        return Expression(kind, lambda frame: frame.column(name), computed=False)

    def _literal(self, tree: "Tree[Token]") -> Expression:
        (token,) = tree.children
        found = _value(token)
        if found is None:
            return Expression(None, _unreachable, computed=False)
        kind: Kind = "text" if isinstance(found, str) else "number"
        if isinstance(found, bool):
            kind = "flag"
            constant = np.array(logic.TRUE if found else logic.FALSE)
        else:
            constant = np.array(found, dtype=object if kind == "text" else np.float64)
        return Expression(kind, lambda _: constant, computed=False, constant=found)

    def _list_lit(self, tree: "Tree[Token]") -> Expression:
        parts = tree.children[0].children if tree.children else []  # type: ignore[union-attr]
        options = tuple(self.expression(self._tree(part, tree)).constant for part in parts)
        if any(option is None for option in options):
            raise _Fault(tree, "a list holds literals only")
        return Expression("texts", _unreachable, constant=options)

    def _ident_arg(self, tree: "Tree[Token]") -> Expression:
        function, arguments = tree.children
        if str(function) != "timestamp":
            raise _Fault(tree, f"there is no function `{function}`; there is `timestamp`")
        text = self.expression(self._tree(arguments, tree)).constant
        try:
            instant = datetime.fromisoformat(text)
            if instant.tzinfo is None:
                raise ValueError
        except (TypeError, ValueError):
            raise _Fault(tree, 'a timestamp is written "2026-01-31T00:00:00Z"') from None
        constant = np.array(instant.timestamp())
        return Expression("instant", lambda _: constant, computed=False)


def _value(token: Any) -> Any:
    """Return the literal: a float, a text, a bool, or None of ``null``."""
    from celpy.evaluation import celstr  # noqa: PLC0415 - as in `_parsed`

    kind, text = token.type, str(token)
    if kind == "NULL_LIT":
        return None
    if kind == "BOOL_LIT":
        return text == "true"
    if kind in {"STRING_LIT", "MLSTRING_LIT"}:
        return str(celstr(token))
    if kind in {"INT_LIT", "FLOAT_LIT"}:
        number = float(int(text, 0)) if kind == "INT_LIT" else float(text)
        if math.isfinite(number):
            return number
    raise _Fault(token, "a literal is a number, a text, true, false or null")


_NUMERIC = {"number", "instant"}


def _unreachable(frame: Frame) -> NoReturn:
    raise AssertionError(frame)  # only comparisons know what to do with it


_NULLS = {
    "number": Expression("number", lambda _: np.array(np.nan), computed=False),
    "text": Expression("text", lambda _: np.array(None, dtype=object), computed=False),
}
"""``null`` beside numbers and instants, and beside texts and lists of them."""
