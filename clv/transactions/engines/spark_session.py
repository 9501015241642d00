"""A session of Spark: started on this machine, or joined on a cluster."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import warnings
from collections import deque
from collections.abc import Iterable, Mapping
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

from clv.errors import EngineError
from clv.transactions.engines.base import memory_bytes

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["reason", "session"]

CLUSTERS = {"spark": 7077, "sc": 15002, "k8s": 443}
"""Kinds of clusters, by how their URLs begin, and the port where none is named."""

LOGS = ("SQLQueryContextLogger", "DataFrameQueryContextLogger")
"""Where PySpark prints whatever it raises, with Java's stack, before anybody can tell it."""

ANSWER = 10.0
"""Seconds in which a cluster answers; Spark itself would ask for minutes."""

NO_WORKERS = "has not accepted any resources"
"""What Spark warns of where no worker of a cluster is free: all else of it waits in silence."""


def session(url: str | None, memory: str | None, threads: int | None) -> SparkSession:
    """Start Spark, or join a cluster.

    Parameters
    ----------
    url : str or None
        The cluster; None is this machine.
    memory, threads
        Of Spark on this machine.

    Raises
    ------
    EngineError
        Where Spark or Java is not installed, Spark does not start, or the process has another.
    """
    url = None if url is None else _cluster(url)
    with warnings.catch_warnings():
        # Spark is not yet sure of pandas 3; rows pass between it and us as Arrow data.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")
        return _session(url, memory, threads)


def _session(url: str | None, memory: str | None, threads: int | None) -> SparkSession:
    try:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException, PySparkImportError
        from pyspark.logger import PySparkLogger
        from pyspark.sql import SparkSession
    except ModuleNotFoundError:
        raise EngineError("Spark is not installed: pip install 'clv[spark]'.") from None
    if url is None or not url.startswith("sc://"):
        _refuse_without_java()
    for name in LOGS:
        PySparkLogger.getLogger(name).disabled = True
    options: dict[str, bool | float | int | str | None] = {"spark.app.name": "clv"}
    if url is None:
        options |= {
            "spark.master": f"local[{threads or '*'}]",
            "spark.ui.enabled": "false",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.sql.warehouse.dir": _warehouse(),
            "spark.ui.showConsoleProgress": "false",  # what is done is told here
        }
        if memory is not None:
            # Java has whole kibibytes.
            options["spark.driver.memory"] = f"{(memory_bytes(memory) or 0) // 1024}k"
    else:
        options["spark.remote" if url.startswith("sc://") else "spark.master"] = url
    _refuse_another(url, threads)
    if url is not None:
        _refuse_silent(url)
    heard: deque[str] = deque(maxlen=200)
    try:
        if "spark.remote" not in options:
            _start_java(options, heard)
        return SparkSession.builder.config(map=options).getOrCreate()
    except (PySparkImportError, SystemExit) as error:
        # Where Python runs a text (python -c), PySpark ends it with status 0 instead.
        raise EngineError(
            "Spark Connect (sc://) needs packages that are not installed: pip install "
            f"'clv[spark]'. {'' if isinstance(error, SystemExit) else error}".strip()
        ) from None
    except (PySparkException, Py4JError, RuntimeError, OSError, ValueError) as error:
        where = f"The cluster {_shown(url)!r} cannot be used" if url else "Spark does not start"
        raise EngineError(f"{where}: {_reason_or_last(error, heard)}") from None


def _cluster(url: str) -> str:
    """Refuse what is no URL of a cluster, before Spark tells its password to whoever looks."""
    kind, mark, rest = url.partition("://")
    if not mark:  # yarn, or local[2]
        return url
    if "@" in rest:
        raise EngineError(
            "The URL of a Spark cluster names no user and no password: spark://host:7077. A token "
            "of Spark Connect stands behind it: sc://host:15002/;token=..."
        )
    if kind not in CLUSTERS:
        kinds = ", ".join(f"{known}://" for known in CLUSTERS)
        raise EngineError(
            f"There is no Spark cluster at {kind}://...: URLs of clusters begin with {kinds}, such "
            "as spark://host:7077."
        )
    return url


def _refuse_silent(url: str) -> None:
    """Refuse a cluster that does not answer within seconds."""
    kind, mark, rest = url.partition("://")
    if not mark or getproxies():  # then others know the way to it
        return
    said = ""
    # spark://one:7077,two:7077 is a cluster with a second master; k8s://https://host:443.
    for master in rest.split("/;")[0].removeprefix("https://").removeprefix("http://").split(","):
        try:
            place = urlsplit(f"//{master}")
            port = place.port or CLUSTERS[kind]
            socket.create_connection((place.hostname or "", port), timeout=ANSWER).close()
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or str(error)
        else:
            return
    raise EngineError(
        f"The Spark cluster {_shown(url)!r} does not answer: {said}. Is it running, and are host "
        "and port right?"
    )


def _shown(url: str) -> str:
    """Return the URL of a cluster without what stands behind it: a token of Spark Connect."""
    return url.split("/;", maxsplit=1)[0]


def _start_java(options: Mapping[str, object], heard: deque[str]) -> None:
    """Start Java for Spark so that what it prints is kept for an error, not shown to everybody."""
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway

    if SparkContext._gateway is not None or "PYSPARK_GATEWAY_PORT" in os.environ:  # noqa: SLF001
        return  # it is somebody else's
    end, begin = os.pipe()
    threading.Thread(
        target=_hear, args=(os.fdopen(end, errors="replace"), heard), daemon=True
    ).start()
    try:
        conf = SparkConf(loadDefaults=False).setAll(
            [(name, str(value)) for name, value in options.items()]
        )
        gateway = launch_gateway(conf, {"stdout": begin, "stderr": begin})  # type: ignore[no-untyped-call]
    finally:
        os.close(begin)
    SparkContext._ensure_initialized(gateway=gateway)  # noqa: SLF001  there is no public way


def _hear(printed: IO[str], heard: deque[str]) -> None:
    """Keep the last lines that Java prints, and pass on what a person must know to help."""
    with printed:
        for line in printed:
            heard.append(line)
            if NO_WORKERS in line:
                print(f"Spark: {line.partition(': ')[2].strip()}", file=sys.stderr)  # noqa: T201


def _reason_or_last(error: Exception, heard: Iterable[str]) -> str:
    """What Spark says went wrong; where Java ended before it could, what that printed."""
    said = str(error)
    if "Java gateway process exited" in said:
        told = [line for line in heard if re.search(r"(Exception|Error)(: |\b)", line)]
        said = re.sub(r'^Exception in thread "\S+" ', "", told[0]) if told else said
    elif "stopped SparkContext" in said:
        why = [found[1] for line in heard if (found := re.search(r"killed\. Reason: (.+)", line))]
        said = why[0] if why else said
    return reason(said)


def _warehouse() -> str:
    """Make the folder of tables that Spark keeps: nothing is left where somebody works."""
    folder = tempfile.mkdtemp(prefix="clv-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _refuse_another(url: str | None, threads: int | None) -> None:
    """A process has one Spark: what is asked of a second would silently be done by the first."""
    from pyspark import SparkContext

    running = SparkContext._active_spark_context  # noqa: SLF001  there is no public name for it
    if running is None or (url is None and threads is None and "local" in str(running.master)):
        return
    asked = url or f"local[{threads or '*'}]"
    if running.master != asked:
        raise EngineError(
            f"This process uses Spark at {running.master!r} already, so it cannot use "
            f"{_shown(asked)!r} too. Ask for the same, or stop the other session first."
        )


def _refuse_without_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=os.path.join(home, "bin")) if home else shutil.which("java")  # noqa: PTH118
    install = "Install it: apt-get install openjdk-17-jre-headless; or set JAVA_HOME."
    if java is None:
        raise EngineError(
            f"Spark needs Java 17 or 21 on this machine, and there is none. {install}"
        )
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr  # noqa: S603
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    if version is not None and int(version[1]) < 17:
        raise EngineError(f"Spark needs Java 17 or 21; {java} is Java {version[1]}. {install}")


def reason(error: Exception | str) -> str:
    """What Spark says went wrong, without its stack."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if lines[0].startswith("An error occurred while calling "):  # which method is no reason
        lines = [lines[1].removeprefix(": "), *lines[2:]]
    causes = [line for line in lines if line.startswith("Caused by: ")]
    said = causes[-1] if causes else lines[0]
    # `Caused by: org.apache.spark.Some: [SOME.CLASS] What went wrong. SQLSTATE: 12345`
    said = re.sub(r"^(Caused by: )?([\w.$]+(Exception|Error): )?(\[[\w.]+\] )?", "", said)
    return re.sub(r"\s*SQLSTATE: \w+", "", said)
