"""The schemas are sound, complete, and agree with what the code has to say of itself."""

import json
import re
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from streamer.records.announcements import RecommendedActions, SegmentChange
from streamer.records.dead_letters import REASONS
from streamer.records.kafka import (
    CHURN_RISK_UPDATES,
    DEAD_LETTERS,
    EVENT_TOPICS,
    LTV_UPDATES,
    MODEL_PARAMS,
    PROGRAMME_MEASURES,
    RECOMMENDED_ACTIONS,
    SEGMENT_CHANGES,
    TOPIC_OF_TYPE,
    WEBHOOK_DEAD_LETTERS,
)
from streamer.records.measures import (
    AcquisitionFigures,
    ArmComparison,
    ArmSizes,
    CohortFigures,
    ExperimentMeasure,
    GroupFigures,
    IdealProfileMeasure,
    MetricUplift,
    ModelCalibration,
    MonthFigures,
    ProgrammeMeasure,
    RatingMeasure,
    ShopMeasure,
    TraitFigures,
    TraitValueFigures,
)
from streamer.records.models import ModelParams
from streamer.records.scores import RISK_BANDS, ChurnRiskUpdate, LtvUpdate
from streamer.scoring.ideal.top import REASONS as REASONS_OF_PROFILES
from streamer.scoring.nulls import NULL_REASONS
from streamer.scoring.programme.acquisition import REASONS as REASONS_OF_ACQUISITION
from streamer.scoring.programme.measures import REASONS as REASONS_OF_PROGRAMMES
from streamer.scoring.programme.reviews import REASONS as REASONS_OF_RATINGS
from streamer.serdes import wire
from streamer.serdes.events import EventDecoder
from tests.support.histories import RATES
from tests.support.schemas import (
    EVENT_TYPES,
    FOLDER,
    NAMES,
    Schema,
    inlined,
    load,
    properties,
    required,
    validator,
)

ASYNCAPI = (FOLDER / "asyncapi.yaml").read_text(encoding="utf-8")
OUTPUTS = {
    "ltv-update.json": LtvUpdate,
    "churn-risk-update.json": ChurnRiskUpdate,
    "model-params.json": ModelParams,
    "segment-change.json": SegmentChange,
    "recommended-actions.json": RecommendedActions,
}
MEASURES = {
    "modelCalibration": ModelCalibration,
    "programme": ProgrammeMeasure,
    "experiment": ExperimentMeasure,
    "ratings": RatingMeasure,
    "figures": GroupFigures,
    "acquisitionFigures": AcquisitionFigures,
    "monthFigures": MonthFigures,
    "cohortFigures": CohortFigures,
    "comparison": ArmComparison,
    "uplift": MetricUplift,
    "sampleRatio": ArmSizes,
    "idealProfile": IdealProfileMeasure,
    "traitFigures": TraitFigures,
    "traitValue": TraitValueFigures,
}
"""The parts of programme-measure.json."""
ENGAGEMENT = {
    "ltv_to_cac_basis", "ltv_below_target", "acquisition_cost", "acquisition_cost_basis",
    "acquisition_channel", "acquisition_budget", "retention_budget", "ratings", "rating_average",
    "rating_last", "rating_flag", "loyalty_points", "next_tier", "points_to_next_tier",
    "previous_loyalty_tier", "loyalty_tier_change",
}  # fmt: skip
PAYING = {
    "payment_days_average", "orders_paid", "unpaid_orders_overdue", "checkout_seconds_average",
    "products_paid_for",
}  # fmt: skip
BASKETS = {
    "products_bought", "products_per_category", "category_growth", "next_category",
    "widen_basket", "share_of_wallet_categories", "categories", "regularity", "margin_rate",
    "low_margin_only", "discounted_orders", "discount_only", "location",
}  # fmt: skip
EXPLANATION = {
    "explained_since", "previous_predicted_clv", "previous_churn_probability", "contributions",
    "referral_value_direct", "referral_chain_customers", "referral_chain_value", "referrals_lost",
    "referrer_lapsed",
}  # fmt: skip
PROFILE = {"profile_closeness", "profile_traits", "profile"}
LATER = {"predicted_clv_basis"} | ENGAGEMENT | PAYING | BASKETS | EXPLANATION | PROFILE
"""Fields that the first messages of version 1 do not have."""
HEADERS = {"dead-letter-headers.json", "webhook-dead-letter-headers.json"}
LATER_MEASURED = {"acquisition"}
"""The same of measures."""
EXAMPLES = [(name, example) for name in NAMES for example in load(name).get("examples", ())]


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_sound(name: str) -> None:
    schema = load(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == name
    assert name == "common.json" or schema["examples"]


def test_there_is_one_schema_for_each_message() -> None:
    messages = {f"{kind}.json" for kind in EVENT_TYPES} | {*OUTPUTS, "programme-measure.json"}
    assert set(NAMES) == messages | {"common.json"} | HEADERS
    assert set(EVENT_TYPES) == set(TOPIC_OF_TYPE)


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_is_valid(name: str, example: Any) -> None:
    validator(name).validate(example)


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_decodes(name: str, example: Any) -> None:
    value = json.dumps(example).encode()
    if name == "programme-measure.json":
        calibrates = example["measure"] == "model_calibration"
        kind: Any = ModelCalibration if calibrates else ShopMeasure
        decoded = msgspec.json.decode(value, type=kind)
        assert json.loads(msgspec.json.encode(decoded)) == example
    elif name in OUTPUTS:
        msgspec.json.decode(value, type=OUTPUTS[name])
    elif name not in HEADERS:
        event = EventDecoder("USD", RATES).decode(value)
        assert event.type == example["type"]
        assert event.event_id == example["event_id"]


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_described(name: str) -> None:
    """With its words, its unit and its range: readers have nothing but this."""
    for path, node in _nodes(load(name)):
        for field, of_field in node.get("properties", {}).items():
            told = of_field.get("description") or "const" in of_field or "$ref" in of_field
            assert told, f"{path}: {field} has no description"


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_the_fields_of_an_event_are_the_decoders(kind: str) -> None:
    struct = next(one for one in wire.WireEvent.__args__ if one.__struct_config__.tag == kind)
    schema = inlined(f"{kind}.json")
    fields = {field.encode_name for field in msgspec.structs.fields(struct)}
    needed = {field.encode_name for field in msgspec.structs.fields(struct) if field.required}
    assert properties(schema).keys() == fields | {"type"}
    assert required(schema) == needed | {"type"}
    for field in msgspec.structs.fields(struct):
        of_field = properties(schema)[field.encode_name]
        if not field.required and field.default is not None:
            assert _default(of_field) == field.default


@pytest.mark.parametrize(("name", "struct"), OUTPUTS.items())
def test_the_fields_of_an_update_are_the_encoders(name: str, struct: type) -> None:
    schema = inlined(name)
    fields = {field.encode_name for field in msgspec.structs.fields(struct)}
    assert properties(schema).keys() == fields
    assert required(schema) == fields - LATER, "every field is written, null or not"


@pytest.mark.parametrize(("part", "struct"), MEASURES.items())
def test_the_fields_of_a_measure_are_the_encoders(part: str, struct: type) -> None:
    schema = load("programme-measure.json")["$defs"][part]
    fields = {field.encode_name for field in msgspec.structs.fields(struct)}
    if struct in (ProgrammeMeasure, ExperimentMeasure, IdealProfileMeasure, RatingMeasure):
        fields.add("measure")  # the tag
    assert schema["properties"].keys() == fields
    assert set(schema["required"]) == fields - LATER_MEASURED


def test_closed_sets_are_the_codes() -> None:
    headers = load("dead-letter-headers.json")["properties"]
    assert headers["streamer.error.reason"]["enum"] == list(REASONS)
    definitions = load("common.json")["$defs"]
    assert definitions["riskBand"]["enum"] == [*RISK_BANDS, None]
    told = definitions["nullReasons"]["description"]
    assert all(code in told for code in NULL_REASONS)
    parts = load("programme-measure.json")["$defs"]
    for part, codes in (
        ("figures", REASONS_OF_PROGRAMMES),
        ("acquisitionFigures", REASONS_OF_ACQUISITION),
        ("ratings", REASONS_OF_RATINGS),
        ("idealProfile", REASONS_OF_PROFILES),
    ):
        reasons = parts[part]["properties"]["null_reasons"]
        assert set(reasons["additionalProperties"]["enum"]) == codes.keys()


def test_asyncapi_knows_every_topic_and_message() -> None:
    addresses = re.findall(r"^    address: (\S+)$", ASYNCAPI, re.MULTILINE)
    assert set(addresses) == {
        *EVENT_TOPICS, LTV_UPDATES, CHURN_RISK_UPDATES, DEAD_LETTERS, MODEL_PARAMS,
        PROGRAMME_MEASURES, RECOMMENDED_ACTIONS, SEGMENT_CHANGES, WEBHOOK_DEAD_LETTERS,
    }  # fmt: skip
    files = set(re.findall(r"\$ref: \./(\S+)$", ASYNCAPI, re.MULTILINE))
    assert files == set(NAMES) - {"common.json"}
    anchors = re.findall(r'\$ref: "#/(components/)?(messages|messageTraits)/(\S+)"', ASYNCAPI)
    for _, _, anchor in anchors:
        assert re.search(rf"^    {anchor}:$", ASYNCAPI, re.MULTILINE)


def _nodes(node: Any, path: str = "") -> list[tuple[str, Schema]]:
    if isinstance(node, list):
        return [pair for item in node for pair in _nodes(item, path)]
    if not isinstance(node, dict):
        return []
    inner = [
        pair
        for key, item in node.items()
        if key != "examples"
        for pair in _nodes(item, f"{path}/{key}")
    ]
    return [(path, node), *inner]


def _default(schema: Schema) -> Any:
    parts = [schema, *schema.get("allOf", ())]
    return next((part["default"] for part in parts if "default" in part), None)
