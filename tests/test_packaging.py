"""What a user installs works without the checkout: the wheel, in a fresh environment."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.conftest import Needs

ROOT = Path(__file__).parent.parent


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command outside the checkout; its output, or the test fails with what it said."""
    environment = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True, text=True, check=False, cwd=cwd, env=environment, timeout=900,
    )  # fmt: skip
    said = f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{said}"
    return done.stdout


def registry_answers(folder: Path) -> bool:
    """Whether pip can fetch what the build itself needs."""
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
    return not subprocess.run([*command, "hatchling"], capture_output=True, check=False).returncode


@pytest.mark.filterwarnings("default")  # what pip and venv say is theirs
def test_the_wheel_runs_the_demo_in_a_fresh_environment(tmp_path: Path, needs: Needs) -> None:
    needs(
        "a package registry",
        registry_answers(tmp_path / "probe"),
        "connect to one and run `python -m pip download hatchling` to see what is in the way",
    )
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, ROOT, cwd=tmp_path)
    (wheel,) = tmp_path.glob("clv-*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("cdnow", "donations", "online_retail", "sbg"):
        assert f"clv/_datasets/{folder}/SOURCE.md" in held  # origin and licence travel along
    assert "clv/py.typed" in held
    assert not [name for name in held if name.startswith(("tests", "docs", "datasets"))]

    home = tmp_path / "fresh"
    venv.create(home)
    bin_ = home / ("Scripts" if os.name == "nt" else "bin")
    # Most of what is installed here is never imported: compiling it all would take half the time.
    run(
        sys.executable, "-m", "pip", "--python", bin_ / "python",
        "install", "-q", "--no-compile", wheel, cwd=tmp_path,
    )  # fmt: skip

    where = run(
        bin_ / "python", "-c", "import clv.datasets as d; print(d.path('cdnow'))", cwd=tmp_path
    )
    assert Path(where.strip()).is_relative_to(home.resolve())
    assert Path(where.strip()).is_file()
    assert "Usage: clv" in run(bin_ / "clv", "--help", cwd=tmp_path)
    assert run(bin_ / "clv", "demo", "-o", "book", cwd=tmp_path)
    assert list((tmp_path / "book").iterdir())
