"""Hypothesis strategies from inlined JSON Schemas.

Values come from hypothesis-jsonschema; objects and arrays are put together here, because its own
way of doing so (0.23) breaks with Hypothesis 6.150 and later.
"""

from typing import Any

from hypothesis import strategies as st
from hypothesis_jsonschema import from_schema

from tests.support.schemas import Schema, parts, properties, required

EXTRAS = st.dictionaries(
    st.text(max_size=6).map(lambda name: f"x-{name}"),
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.just([{"amount": 1}]),
    max_size=2,
)
"""Fields that no schema of ours names."""


def instances(schema: Schema) -> st.SearchStrategy[Any]:
    """Instances that keep to ``schema``, with fields beyond it where it is an object."""
    types = next((part["type"] for part in parts(schema) if "type" in part), None)
    choices: list[st.SearchStrategy[Any]] = []
    if properties(schema):
        choices.append(_objects(schema))
    elif lines := next((part["items"] for part in parts(schema) if "items" in part), None):
        choices.append(st.lists(instances(lines), max_size=3))
    elif types == "object":
        choices.append(EXTRAS)
    else:
        return from_schema(schema)
    if isinstance(types, list) and "null" in types:
        choices.append(st.none())
    return st.one_of(choices)


def _objects(schema: Schema) -> st.SearchStrategy[dict[str, Any]]:
    fields = {name: instances(of_field) for name, of_field in properties(schema).items()}
    needed = required(schema)
    return st.builds(
        lambda own, extras: {**extras, **own},
        st.fixed_dictionaries(
            {name: strategy for name, strategy in fields.items() if name in needed},
            optional={name: strategy for name, strategy in fields.items() if name not in needed},
        ),
        EXTRAS,
    )
