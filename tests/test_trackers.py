"""The lines of the documentation for TensorBoard, MLflow and Weights and Biases, where these are installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documentation import Block, blocks

PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "python.md"
BLOCKS = {block.not_run.removeprefix("needs "): block for block in blocks(PAGE) if block.not_run.startswith("needs ")}
LEFT = {"tensorboard": "runs/ner/events.*", "mlflow": "**/metrics/dev_ner", "wandb": "wandb/offline-run-*/*.wandb"}
OFFLINE = {"WANDB_MODE": "offline", "MLFLOW_TRACKING_URI": "file:runs", "MLFLOW_ALLOW_FILE_STORE": "true"}


def test_every_tracker_has_lines() -> None:
    assert set(BLOCKS) == set(LEFT)


@pytest.mark.parametrize("name", LEFT)
def test_the_documented_lines_keep_the_scores(name: str, tmp_path: Path) -> None:
    pytest.importorskip(name, reason=f"{name} is not installed, which no extra brings")
    run(next(block for block in blocks(PAGE) if block.title == "mine.py"), BLOCKS[name], tmp_path)
    assert [*tmp_path.glob(LEFT[name])]


def run(data: Block, lines: Block, folder: Path) -> None:
    (folder / "mine.py").write_text(data.code, encoding="utf-8")
    environment = {**os.environ, **OFFLINE, "OMP_NUM_THREADS": "1", "HOME": str(folder)}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-c", lines.code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
