"""The profile that a model carries: that of the rows it was fitted to."""

from collections.abc import Sequence
from hashlib import blake2b

import msgspec
from msgspec.structs import replace

from streamer.records.models import FORMULA, ModelParams
from streamer.scoring.ideal.spreads import Marked, Spread, bucket_of, differences
from streamer.scoring.ideal.top import profile_of
from streamer.scoring.ideal.traits import traits_of
from streamer.scoring.lifetime import lifetimes
from streamer.scoring.parameters import ScoringParameters, with_model
from streamer.state.row import Row


def with_profile(
    model: ModelParams, rows: Sequence[Row], until: int, configured: ScoringParameters
) -> ModelParams:
    """Return ``model`` with the profile of the customers it finds most valuable.

    Its version then stands for the profile, too. As it is where scores stay by formula, or where no
    top tenth can be told apart.

    Args:
        model: just fitted.
        rows: of all customers.
        until: event time up to which purchases are known, microseconds since 1970.
        configured: the parameters of the scores.
    """
    bought = [row for row in rows if row.orders]
    if model.model == FORMULA or not bought:
        return model
    values, as_of = lifetimes(bought, [until] * len(bought), with_model(configured, model))
    marked = [
        (None, Marked(bucket_of(value), traits_of(row, at)))
        for row, value, at in zip(bought, values, as_of, strict=True)
        if value is not None
    ]
    if not marked:
        return model
    cut, profile = profile_of({key: Spread(dict(of)) for key, of in differences(marked).items()})
    if cut.reason is not None:
        return model
    content = msgspec.msgpack.encode((model.model_version, profile))
    digest = blake2b(content, digest_size=4).hexdigest()
    version = f"{model.model}-{model.generation}-{digest}"
    return replace(model, profile=profile, model_version=version)
