"""`python app.py` from outside, temporary folders, and what a launch allows."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_models

from explorer.options import Options
from explorer.ui import launch

ROOT = Path(__file__).parents[2]


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "app.py", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=60,
        env={**os.environ, **environment},
    )  # fmt: skip


def test_mistakes_end_with_one_line_and_2(tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"nonsense")
    for arguments, words in ((["--bogus"], "--bogus"), (["--model", broken, "--models", tmp_path / "no"], "broken")):
        ended = run(*arguments, GRADIO_TEMP_DIR=str(tmp_path))
        assert (ended.returncode, ended.stdout) == (2, "")
        assert len(ended.stderr.splitlines()) == 1
        assert words in ended.stderr


def test_a_port_in_use_is_told(tmp_path):
    model = tiny_models.make(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run("--model", model, "--models", tmp_path / "no", "--port", port, GRADIO_TEMP_DIR=str(tmp_path))
    assert ended.returncode == 2
    assert str(port) in ended.stderr
    assert "Traceback" not in ended.stderr


def test_temporary_folders_of_dead_processes_go_and_those_of_living_ones_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(launch.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    launch.own_temp_folder()
    own = Path(os.environ["GRADIO_TEMP_DIR"])
    assert own.is_dir()
    assert own.name == str(os.getpid())
    assert own.stat().st_mode & 0o077 == 0
    assert own.parent.stat().st_mode & 0o077 == 0
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for name in (str(ended.pid), str(os.getppid()), "notes"):
        (own.parent / name).mkdir()
    (own / "old.png").touch()
    monkeypatch.delenv("GRADIO_TEMP_DIR")
    launch.own_temp_folder()
    assert {path.name for path in own.parent.iterdir()} == {own.name, str(os.getppid()), "notes"}
    assert list(own.iterdir()) == []


def test_a_folder_that_was_chosen_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    (tmp_path / "theirs").touch()
    launch.own_temp_folder()
    assert os.environ["GRADIO_TEMP_DIR"] == str(tmp_path)
    assert (tmp_path / "theirs").exists()


@pytest.mark.parametrize(
    ("options", "size", "hosts"),
    [
        (Options(), "2gb", True),
        (Options(share=True), "10mb", False),
        (Options(host="0.0.0.0"), "10mb", False),
        (Options(host="0.0.0.0", auth=("a", "b")), "2gb", False),
        (Options(read_only=True), "2gb", True),
    ],
)
def test_limits_follow_from_who_can_come(options, size, hosts):
    settings = launch.settings(options)
    assert settings["max_file_size"] == size
    assert (settings["app_kwargs"] is not None) == hosts
    assert settings["run_history"] is False
    assert settings["enable_monitoring"] is False
    assert "allowed_paths" not in settings


def test_the_page_asks_no_other_host_for_anything():
    settings = launch.settings(Options())
    for text in (settings["head"], settings["css"], settings["theme"]._get_theme_css()):
        assert "://" not in text.replace("http://www.w3.org/2000/svg", "")  # a name, never asked for
    assert settings["theme"]._stylesheets == []
