"""What tests on a Kafka that mistrusts its clients share."""

from collections.abc import Iterator

import pytest

from tests.support.authority import Authority
from tests.support.safe import ROOT, SafeKafka, safe_broker


@pytest.fixture(scope="session")
def safe_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SafeKafka]:
    folder = tmp_path_factory.mktemp("safe")
    authority = Authority(folder)
    with safe_broker(folder, authority, acls=True, super_users=(ROOT,)) as kafka:
        yield SafeKafka(kafka, authority)
