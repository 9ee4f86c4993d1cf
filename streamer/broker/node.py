"""One Kafka node as a child process: format its storage, launch, wait until it serves, stop."""

import base64
import subprocess
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from streamer.broker import jars, readiness
from streamer.broker.errors import BrokerError
from streamer.broker.holding import held
from streamer.broker.java import find_java
from streamer.broker.jvm import Options, java_command
from streamer.broker.leash import Leash
from streamer.broker.ports import is_free
from streamer.broker.properties import Node, log4j_text, properties_text, server_properties

START_SECONDS_MAX = 120.0
"""How long a node may take until it serves clients."""

STOP_SECONDS_MAX = 15.0
"""How long a node may take to stop before it is killed."""

_POLL_SECONDS = 0.05
_LOG_LINES_SHOWN = 12


class KafkaNode:
    """One node of a quorum, and the process that runs it, if it runs.

    Args:
        node: Its number and addresses.
        quorum: All nodes, this one included.
        data_dir: Where it keeps its data, configuration and logs; made if absent.
        cluster_id: What makes the nodes of a quorum one cluster.
        options: How it is run.
    """

    def __init__(
        self, node: Node, quorum: Sequence[Node], data_dir: Path, cluster_id: str, options: Options
    ) -> None:
        self.node = node
        self._quorum = tuple(quorum)
        self._data_dir = data_dir.absolute()
        self._cluster_id = cluster_id
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._leash: Leash | None = None

    @property
    def pid(self) -> int:
        """The process id of the running node."""
        if self._process is None:
            raise BrokerError("The embedded Kafka does not run: call start() first.")
        return self._process.pid

    @property
    def log_file(self) -> Path:
        """Where the node writes its warnings and errors."""
        return self._data_dir / "kafka.log"

    def is_running(self) -> bool:
        """Tell whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def launch(self) -> None:
        """Start the process; `wait_until_ready` tells when it serves.

        Raises:
            BrokerError: It runs already, another one uses its folder, its port is taken, or its
                storage cannot be made ready.
        """
        if self.is_running():
            raise BrokerError(
                f"The Kafka node at {self.node.bootstrap} runs already: stop it first."
            )
        self._end()
        with held(self._data_dir) as lock:
            self._check_ports()
            self._write_configuration()
            self._format_storage(lock)
            self._process = self._run(lock, "kafka.Kafka", self._properties_file)
        if self._options.die_with_parent:
            self._leash = Leash(self._process.pid)

    def wait_until_ready(self, seconds_max: float = START_SECONDS_MAX) -> None:
        """Block until the node answers clients.

        Raises:
            BrokerError: It ended, or did not answer in time.
        """
        deadline = time.monotonic() + seconds_max
        security = self._options.security
        tls = security.client_context() if security else None
        while not readiness.answers(self.node.host, self.node.port, tls):
            if not self.is_running():
                raise self._failure("ended before it was ready")
            if time.monotonic() > deadline:
                raise self._failure(f"was not ready within {seconds_max:.0f} s")
            time.sleep(_POLL_SECONDS)

    def wait(self) -> None:
        """Block until the process ends by itself."""
        if self._process is not None:
            self._process.wait()

    def terminate(self) -> None:
        """Ask the node to end in order, and return at once. Does nothing if it does not run."""
        if self._process is not None:
            self._process.terminate()

    def stop(self, seconds_max: float = STOP_SECONDS_MAX) -> None:
        """End the node in order, or kill it when that takes too long; no matter if it runs."""
        self.terminate()
        if self._process is not None:
            try:
                self._process.wait(seconds_max)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._end()

    def kill(self) -> None:
        """End the node as a crash would, with SIGKILL."""
        if self._process is not None:
            self._process.kill()
        self._end()

    def _end(self) -> None:
        """Reap the ended process, then let go of its leash."""
        if self._process is not None:
            self._process.wait()
            self._process = None
        if self._leash is not None:
            self._leash.release()
            self._leash = None

    @property
    def _properties_file(self) -> Path:
        return self._data_dir / "server.properties"

    @property
    def _log4j_file(self) -> Path:
        return self._data_dir / "log4j2.properties"

    @property
    def _console_file(self) -> Path:
        return self._data_dir / "console.log"

    @property
    def _storage_dir(self) -> Path:
        return self._data_dir / "storage"

    def _check_ports(self) -> None:
        for port in (self.node.port, self.node.controller_port):
            if not is_free(self.node.host, port):
                raise BrokerError(
                    f"Port {port} of {self.node.host} is taken: stop what listens there, "
                    "or choose another port."
                )

    def _write_configuration(self) -> None:
        settings = server_properties(
            self.node,
            self._quorum,
            self._storage_dir,
            self._options.properties,
            self._options.security,
        )
        self._properties_file.touch(mode=0o600)  # it may hold passwords
        self._properties_file.write_text(properties_text(settings))
        self._log4j_file.write_text(log4j_text(self.log_file))
        self._console_file.write_bytes(b"")

    def _format_storage(self, lock: int) -> None:
        # The formatter writes this file last, so it stands for the whole.
        if (self._storage_dir / "meta.properties").exists():
            return
        # With the equals sign, as an id may begin with a dash.
        what = [f"--cluster-id={self._cluster_id}", f"--config={self._properties_file}"]
        if self._options.security is not None:
            what += self._options.security.scram_arguments()
        formatter = self._run(
            lock, "kafka.tools.StorageTool", "format", "--ignore-formatted", *what
        )
        if formatter.wait() != 0:
            raise self._failure("could not format its storage")

    def _run(self, lock: int, main_class: str, *arguments: str | Path) -> subprocess.Popen[bytes]:
        command = java_command(
            self._options.java or find_java(),
            jars.class_path(),
            main_class,
            arguments,
            options=self._options,
            log4j_file=self._log4j_file,
        )
        with self._console_file.open("ab") as console:
            return subprocess.Popen(
                command,
                cwd=self._data_dir,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                # A Ctrl-C in the terminal is for this process, which then stops the node in order.
                start_new_session=True,
                pass_fds=(lock,),  # the folder is held as long as Java lives
            )

    def _failure(self, what: str) -> BrokerError:
        lines = _lines(self.log_file) + _lines(self._console_file)
        return BrokerError(
            f"The embedded Kafka at {self.node.bootstrap} {what}: put right what its log says, "
            f"{self.log_file}, and start again.\n" + "\n".join(lines[-_LOG_LINES_SHOWN:])
        )


def cluster_id(data_dir: Path) -> str:
    """Return the id of the cluster that is kept in a folder, in Kafka's form: a UUID in 22 letters.

    It follows from the folder, so that all nodes kept there agree on it without a word.
    """
    digest = uuid.uuid5(uuid.NAMESPACE_URL, data_dir.absolute().as_uri())
    return base64.urlsafe_b64encode(digest.bytes).decode().rstrip("=")


def _lines(file: Path) -> list[str]:
    """Return the lines of a log without stack frames, which tell its reader nothing."""
    lines = file.read_text(errors="replace").splitlines() if file.exists() else []
    return [line for line in lines if not line.startswith("\t")]
