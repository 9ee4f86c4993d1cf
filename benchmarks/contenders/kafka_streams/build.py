"""Compiles the Java sources of this folder.

By Eclipse's compiler, a jar like the others: so a machine needs a Java to run, and no JDK.
"""

import os
from functools import cache
from pathlib import Path

from benchmarks.processes import run
from streamer.broker.jars import cached, class_path, parse_lock
from streamer.broker.java import find_java

LOCK = Path(__file__).with_name("streams.lock")
SOURCES = Path(__file__).with_name("java")
JAVA_LEVEL = 17
"""The oldest Java that `find_java` returns."""

_COMPILER = "ecj"


def compiled(folder: Path) -> str:
    """Compile the sources into a folder; return the class path that runs them.

    Raises:
        BenchmarkError: They do not compile.
        BrokerError: A jar is missing and cannot be downloaded.
    """
    jars, compiler = _jars()
    classes = folder / "classes"
    sources = map(str, sorted(SOURCES.glob("*.java")))
    command = [str(find_java()), "-jar", compiler, f"-{JAVA_LEVEL}", "-proc:none", "-nowarn"]
    run("the compiler", [*command, "-cp", jars, "-d", str(classes), *sources], folder)
    return os.pathsep.join((str(classes), jars))


@cache
def _jars() -> tuple[str, str]:
    """Return the class path of the libraries, and the compiler's jar."""
    locked = parse_lock(LOCK.read_text())
    libraries = cached([jar for jar in locked if jar.artifact != _COMPILER])
    (compiler,) = cached([jar for jar in locked if jar.artifact == _COMPILER])
    return os.pathsep.join(map(str, (*libraries, *class_path()))), str(compiler)
