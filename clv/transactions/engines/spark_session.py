"""A session of Spark: started on this machine, or joined on a cluster."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import subprocess
import tempfile
from typing import TYPE_CHECKING

from clv.errors import EngineError
from clv.transactions.engines.base import MEMORY

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["reason", "session"]


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
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ModuleNotFoundError:
        raise EngineError("Spark is not installed: pip install 'clv[spark]'.") from None
    if url is None or not url.startswith("sc://"):
        _refuse_without_java()
    build = SparkSession.builder.appName("clv")
    if url is None:
        build = build.master(f"local[{threads or '*'}]").config("spark.ui.enabled", "false")
        build = build.config("spark.driver.bindAddress", "127.0.0.1")
        build = build.config("spark.driver.host", "127.0.0.1")
        build = build.config("spark.sql.warehouse.dir", _warehouse())
        build = build.config("spark.ui.showConsoleProgress", "false")  # what is done is told here
        if memory is not None:
            build = build.config("spark.driver.memory", _java_memory(memory))
    else:
        build = build.remote(url) if url.startswith("sc://") else build.master(url)
    _refuse_another(url, threads)
    try:
        return build.getOrCreate()
    except (PySparkException, RuntimeError, OSError, ValueError) as error:
        where = f"The cluster {url!r} cannot be used" if url else "Spark does not start"
        raise EngineError(f"{where}: {reason(error)}") from error


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
            f"This process uses Spark at {running.master!r} already, so it cannot use {asked!r} "
            "too. Ask for the same, or stop the other session first."
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


def _java_memory(memory: str) -> str:
    """Return "4GB" as Java writes it: whole kibibytes."""
    size, unit = MEMORY.fullmatch(memory.strip()).groups()  # type: ignore[union-attr]  # checked
    base = 1024 if "i" in unit.lower() else 1000
    return f"{int(float(size) * base ** ('KMGT'.index(unit[0].upper()) + 1)) // 1024}k"


def reason(error: Exception) -> str:
    """What Spark says went wrong, without its stack."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith("Caused by: ")]
    said = causes[-1] if causes else lines[0]
    # `Caused by: org.apache.spark.Some: [SOME.CLASS] What went wrong. SQLSTATE: 12345`
    said = re.sub(r"^(Caused by: )?([\w.$]+(Exception|Error): )?(\[[\w.]+\] )?", "", said)
    return re.sub(r"\s*SQLSTATE: \w+", "", said)
