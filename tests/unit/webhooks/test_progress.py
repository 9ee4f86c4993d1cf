from hypothesis import given
from hypothesis import strategies as st

from streamer.webhooks.health import DOWN_AFTER, LONGEST_SECONDS, Health, backoff_seconds
from streamer.webhooks.progress import Progress, oldest_of


@given(st.data())
def test_only_what_lies_before_every_open_record_is_settled(data: st.DataObject) -> None:
    offsets = sorted(data.draw(st.sets(st.integers(5, 60), max_size=20)))
    progress, begun, open_ = Progress(5), list[int](), list[int]()
    while offsets or open_:
        if offsets and (not open_ or data.draw(st.booleans())):
            offset = offsets.pop(0)
            assert progress.is_new(offset)
            progress.begin(offset, 1000 * offset)
            assert not progress.is_new(offset)
            begun.append(offset)
            open_.append(offset)
        else:
            settled = data.draw(st.sampled_from(open_))
            progress.settle(settled)
            open_.remove(settled)
        last = begun[-1] + 1 if begun else 5
        assert progress.position == min(open_, default=last)
        assert progress.oldest == (1000 * min(open_) if open_ else None)


def test_markers_at_the_end_of_a_log_are_passed() -> None:
    progress = Progress(5)
    progress.begin(5, 9_000)
    progress.reach(8)
    assert progress.position == 5, "5 is open"
    progress.settle(5)
    assert progress.position == 8
    progress.reach(7)
    assert progress.position == 8, "it never goes back"


def test_the_oldest_of_several_partitions() -> None:
    first, second = Progress(0), Progress(0)
    assert oldest_of([first, second]) is None
    second.begin(0, 70)
    first.begin(0, 80)
    assert oldest_of([first, second]) == 70


def test_an_endpoint_is_down_when_it_takes_none_of_several_updates() -> None:
    health = Health()
    for _ in range(10):
        health.failed("the same one again and again")
    assert not health.is_down
    for number in range(DOWN_AFTER - 1):
        assert not health.is_down
        health.failed(f"another-{number}")
    assert health.is_down
    health.succeeded()
    assert not health.is_down
    assert health.accepted == 1


def test_pauses_double_up_to_a_bound_and_never_fall_together() -> None:
    for failures in range(60):
        pauses = {backoff_seconds(failures) for _ in range(50)}
        longest = min(LONGEST_SECONDS, 2**failures)
        assert all(longest / 2 <= pause <= longest for pause in pauses)
        assert len(pauses) > 25
