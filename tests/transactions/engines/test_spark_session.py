"""A session of Spark: which URLs are those of clusters, and what Java prints of itself."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clv.errors import EngineError
from clv.transactions.engines import Engine, open_engine

# The spark fixture is of this folder; what stands before it is refused before Java starts.


@pytest.fixture
def answers() -> Iterator[int]:
    """The port of something on this machine that takes calls and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def silent() -> int:
    """A port of this machine where nothing is."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("spark://anna:S3CRET@host:7077", "names no user and no password"),
        ("sc://anna:S3CRET@host", "names no user and no password"),
        ("jdbc://anna:S3CRET@host", "names no user and no password"),
        ("postgresql://host/db?password=S3CRET", "begin with spark://, sc://, k8s://"),
        ("spark://127.0.0.1:99999", "does not answer: Port out of range"),
    ],
)
def test_what_is_no_url_of_a_cluster_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    pytest.importorskip("pyspark", reason="pip install -e '.[test]'")
    monkeypatch.setattr("clv.transactions.engines.spark_session._refuse_without_java", lambda: None)
    monkeypatch.setattr("pyspark.SparkContext._active_spark_context", None)
    with pytest.raises(EngineError) as caught:
        open_engine(url)
    assert said in str(caught.value)
    assert "S3CRET" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "spark://127.0.0.1:{0}",
        "spark://127.0.0.1:{0},127.0.0.1:{0}",
        "k8s://https://127.0.0.1:{0}",
        "sc://127.0.0.1:{0}/;token=S3CRET",
    ],
)
def test_a_cluster_that_does_not_answer_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch, silent: int, url: str
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    pytest.importorskip("pyspark", reason="pip install -e '.[test]'")
    monkeypatch.setattr("clv.transactions.engines.spark_session._refuse_without_java", lambda: None)
    monkeypatch.setattr("pyspark.SparkContext._active_spark_context", None)
    with pytest.raises(EngineError, match=r"does not answer: Connection refused\. Is it running"):
        open_engine(url.format(silent))
    with pytest.raises(EngineError) as caught:
        open_engine(url.format(silent))
    assert "S3CRET" not in str(caught.value)


@pytest.mark.parametrize("how", ["a text", "a file"])
def test_without_the_packages_of_spark_connect_it_is_said_how_to_get_them(
    answers: int, tmp_path: Path, how: str
) -> None:
    """PySpark ends a Python that runs a text with status 0, taking it for a doctest."""
    pytest.importorskip("pyspark", reason="pip install -e '.[test]'")
    program = (
        "import sys\n"
        "sys.modules['grpc'] = None\n"
        "from clv.errors import EngineError\n"
        "from clv.transactions.engines import open_engine\n"
        "try:\n"
        f"    open_engine('sc://127.0.0.1:{answers}')\n"
        "except EngineError as error:\n"
        "    print(error)\n"
    )
    script = tmp_path / "connects.py"
    script.write_text(program)
    run = ["-c", program] if how == "a text" else [str(script)]
    told = subprocess.run([sys.executable, *run], capture_output=True, text=True, check=True)
    assert "Spark Connect (sc://) needs packages" in told.stdout
    assert "pip install 'clv[spark]'" in told.stdout
    assert ("grpcio" in told.stdout) == (how == "a file")


def test_what_java_prints_is_not_shown_but_for_what_a_person_must_know(
    spark: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    system = spark.session._jvm.java.lang.System  # type: ignore[attr-defined]
    waits = "Initial job has not accepted any resources; check your cluster UI"
    system.err.println("26/11/22 08:00:00 WARN WindowExec: No Partition Defined")
    system.out.println("Using Spark's default log4j profile")
    system.err.println(f"26/11/22 08:00:00 WARN TaskSchedulerImpl: {waits}")
    told, until = "", time.monotonic() + 60
    while waits not in told and time.monotonic() < until:  # it comes by another thread
        time.sleep(0.05)
        told += capsys.readouterr().err
    assert told == f"Spark: {waits}\n"


def test_what_is_raised_is_not_printed_besides(
    spark: Engine, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    from pyspark.errors import AnalysisException

    with pytest.raises(AnalysisException):
        spark.session.sql("SELECT x FROM nowhere")  # type: ignore[attr-defined]
    assert not capfd.readouterr().err
    assert not caplog.records


def test_what_java_said_before_it_ended_is_the_reason() -> None:
    from clv.transactions.engines.spark_session import _reason_or_last

    ended = RuntimeError("[JAVA_GATEWAY_EXITED] Java gateway process exited before sending.")
    heard = [
        "WARNING: Using incubator modules: jdk.incubator.vector\n",
        'Exception in thread "main" org.apache.spark.SparkException: No room for Java\n',
        "\tat org.apache.spark.deploy.SparkSubmit.main(SparkSubmit.scala)\n",
    ]
    assert _reason_or_last(ended, heard) == "No room for Java"
    assert _reason_or_last(ended, []) == "Java gateway process exited before sending."
    called = RuntimeError(
        "An error occurred while calling None.org.apache.spark.api.java.JavaSparkContext.\n"
        ": org.apache.spark.SparkException: Invalid master URL: spark://h\n\tat org.apache.x\n"
    )
    assert _reason_or_last(called, heard) == "Invalid master URL: spark://h"
    stopped = RuntimeError("Cannot call methods on a stopped SparkContext.")
    killed = "26/11/22 ERROR StandaloneSchedulerBackend: Application has been killed. Reason: "
    heard.append(f"{killed}All masters are unresponsive! Giving up.\n")
    assert _reason_or_last(stopped, heard) == "All masters are unresponsive! Giving up."
