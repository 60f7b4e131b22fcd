"""`tenure config view` says whether a control plane runs in a home, not whether one ever did."""

import json
import os
from pathlib import Path

import psutil

from tests.cli.host import Shell


def test_a_home_whose_control_plane_was_stopped_is_said_not_to_run(tmp_path: Path) -> None:
    view = Shell(tmp_path)
    (tmp_path / "server.json").write_text(json.dumps({"url": "https://127.0.0.1:1"}))
    assert view("config", "view", "-o", "json").json["running"] is False
    told = {"pid": os.getpid(), "startTime": psutil.Process().create_time()}
    (tmp_path / "plane.json").write_text(json.dumps(told))
    assert view("config", "view", "-o", "json").json["running"] is True
