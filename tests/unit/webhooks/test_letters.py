"""What is kept of an update that was given up, by its schema."""

from streamer.records.kafka import FileRecord
from streamer.webhooks.letters import letter_headers
from tests.support.schemas import load, validator


def test_the_headers_keep_to_their_schema_behind_the_records_own() -> None:
    record = FileRecord("shop.ltv-updates", 3, 17, 0, b"ann", b"{}", (("traceparent", b"00-1"),))
    (own, *ours) = letter_headers(record, "crm", "crm answered 10 times: 422 Unprocessable Entity")
    assert own == ("traceparent", b"00-1")
    texts = {name: (value or b"").decode() for name, value in ours}
    assert len(texts) == len(ours)
    validator("webhook-dead-letter-headers.json").validate(texts)
    assert texts.keys() == load("webhook-dead-letter-headers.json")["properties"].keys()
    assert texts["streamer.error.endpoint"] == "crm"
