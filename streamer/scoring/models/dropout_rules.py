"""Ready-made quadrature rules for `dropout.py`, where a few nodes do: most customers, most times.

Customers of equal x share the distribution of p, Beta(a, B). Its Gauss rule (Golub & Welsch 1969,
Mathematics of Computation 23:221) suits any a and B by itself, but only so much of τ: how much is
measured, for each x, against the integral that is right everywhere.
"""

import numpy as np
from msgspec import Struct

from streamer.scoring.models.dropout import purchases_until_dropout
from streamer.scoring.models.histories import Floats
from streamer.scoring.models.special import column_sums

X_END = 64
"""Rules are made for x from 0 to below this."""

_NODES = 16
_TAUS: Floats = np.geomspace(1e-3, 1e3, 49)
_TOLERANCE = 1e-9
_BLOCK = 400
"""Customers and times worked on at once: they stay in the processor's cache."""


class DropoutRules(Struct, frozen=True):
    """Rules for R = r + x and p ~ Beta(a, B(x)), x from 0 to below ``X_END``."""

    r: float
    nodes: Floats
    """p, shape (nodes, X_END)."""
    weights: Floats
    """Weights over p, the same shape."""
    tau_max: Floats
    """The longest τ that each rule is good for, shape (X_END,); 0 where it is not at all."""

    def purchases(self, x: Floats, taus: Floats, weights: Floats) -> Floats:
        """Return Σ_k weights[k] · G(taus[k]) and G of the last τ, as ``purchases_until_dropout``.

        Args:
            x: below ``X_END``, shape (n,).
            taus: up to ``tau_max``, shape (m, n).
            weights: 0 or more, shape (m, n).
        """
        figures = np.empty((2, len(x)))
        at_once = max(_BLOCK // len(taus), 1)
        for begin in range(0, len(x), at_once):
            some = slice(begin, begin + at_once)
            rule = x[some].astype(np.intp)
            p, p_weights = self.nodes.take(rule, axis=1), self.weights.take(rule, axis=1)
            terms = taus[:, None, some] * p
            np.log1p(terms, out=terms)
            terms *= -(self.r + x[some])
            np.expm1(terms, out=terms)
            last = terms[-1] * p_weights
            terms *= weights[:, None, some]
            figures[0, some] = -column_sums(terms.sum(axis=0) * p_weights)
            figures[1, some] = -column_sums(last)
        return figures


def dropout_rules(r: float, a: float, B: Floats) -> DropoutRules:
    """Return the rules for Beta(a, B[x]), x from 0 to below ``X_END``."""
    nodes, weights = _gauss(a, B)
    rules = DropoutRules(r, nodes, weights / nodes, np.zeros(X_END))
    x = np.repeat(np.arange(float(X_END)), len(_TAUS))
    taus = np.tile(_TAUS, X_END)[None]
    ones = np.ones_like(taus)
    exact = purchases_until_dropout(r + x, a, np.repeat(B, len(_TAUS)), taus, ones)[1]
    agrees = np.abs(rules.purchases(x, taus, ones)[1] - exact) <= _TOLERANCE * exact
    reach = np.logical_and.accumulate(agrees.reshape(X_END, -1), axis=1).sum(axis=1)
    return DropoutRules(r, nodes, weights / nodes, np.append(0.0, _TAUS)[reach])


def _gauss(a: float, B: Floats) -> tuple[Floats, Floats]:
    """Return nodes and weights of the means over Beta(a, B), shapes (nodes, len(B))."""
    k = np.arange(_NODES)[:, None]
    s = 2 * k + a + B - 2
    with np.errstate(divide="ignore", invalid="ignore"):  # 0/0 at k = 0 and 1, put right below
        diagonal = (2 * k * (k + a + B - 1) + (a + B - 2) * a) / (s * (s + 2))
        beside = k * (k + B - 1) * (k + a - 1) * (k + a + B - 2) / (s * s * (s + 1) * (s - 1))
    diagonal[0] = a / (a + B)
    beside[1] = a * B / (s[1] * s[1] * (s[1] + 1))
    matrices = np.zeros((len(B), _NODES, _NODES))
    row = np.arange(_NODES)
    matrices[:, row, row] = diagonal.T
    matrices[:, row[1:], row[:-1]] = np.sqrt(beside[1:].T)
    nodes, vectors = np.linalg.eigh(matrices)
    return np.maximum(np.ascontiguousarray(nodes.T), 1e-30), np.ascontiguousarray(
        vectors[:, 0, :].T ** 2
    )
