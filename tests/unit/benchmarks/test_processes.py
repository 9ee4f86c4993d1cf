import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.processes import Child, run, running

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
# A child of the child, in the same group, that does not end when asked.
STUBBORN = (
    "import os, signal, sys, time\n"
    "if os.fork() == 0:\n"
    "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "open(sys.argv[1], 'a').write(f'{os.getpid()}\\n')\n"
    "time.sleep(60)\n"
)


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie waits for its parent, which is the init process, to take note.
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def until_dead(pid: int) -> None:
    for _ in range(250):
        if not lives(pid):
            return
        time.sleep(0.02)
    pytest.fail(f"process {pid} lives on")


@pytest.mark.parametrize("error", [BenchmarkError, KeyboardInterrupt])
def test_a_child_ends_with_its_block(tmp_path: Path, error: type[BaseException]) -> None:
    children: list[Child] = []

    def fail() -> None:
        with running("it", SLEEP, tmp_path) as child:
            children.append(child)
            raise error

    with pytest.raises(error):
        fail()
    assert not lives(children[0].pid)


def test_the_whole_group_ends(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with running("it", [sys.executable, "-c", STUBBORN, str(pids)], tmp_path) as child:
        while not pids.exists() or len(pids.read_text().split()) < 2:
            child.check_running()
    for pid in pids.read_text().split():
        until_dead(int(pid))


def test_a_child_does_not_outlive_a_killed_benchmark(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from benchmarks.processes import running\n"
        f"with running('it', {SLEEP!r}, Path(sys.argv[1])) as child:\n"
        "    print(child.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        check=False,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert done.returncode == -signal.SIGKILL
    until_dead(int(done.stdout))


def test_a_failure_is_told_with_the_end_of_the_log(tmp_path: Path) -> None:
    program = "print('[INFO] stopping'); raise SystemExit('no such topic')"
    with pytest.raises(BenchmarkError, match=r"it ended with exit code 1.*\nno such topic$"):
        run("it", [sys.executable, "-c", program], tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
@pytest.mark.parametrize("fork", [False, True])
def test_processor_time_is_that_of_children_too(tmp_path: Path, fork: bool) -> None:
    idle_parent = "import os\nif os.fork(): os.wait()\n" if fork else ""
    busy = [sys.executable, "-c", idle_parent + "while True: pass"]
    with running("it", busy, tmp_path) as child:
        before = child.cpu_seconds()
        time.sleep(1.0)
        after = child.cpu_seconds()
    assert before is not None
    assert after is not None
    assert 0.1 < after - before < 1.2


def test_a_child_that_ended_is_noticed(tmp_path: Path) -> None:
    with running("it", [sys.executable, "-c", ""], tmp_path) as child:
        child.wait(30)
        with pytest.raises(BenchmarkError, match="ended by itself with exit code 0"):
            child.check_running()


def test_slow_children_are_not_waited_for(tmp_path: Path) -> None:
    with (
        running("it", SLEEP, tmp_path) as child,
        pytest.raises(BenchmarkError, match="was not done within 0 s"),
    ):
        child.wait(0.01)


def test_settings_of_streamer_do_not_leak_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMER_EMIT", "every_event")
    program = (
        "import os, sys; sys.exit('STREAMER_EMIT' in os.environ or os.environ['GIVEN'] != 'yes')"
    )
    run("it", [sys.executable, "-c", program], tmp_path, {"GIVEN": "yes"})
