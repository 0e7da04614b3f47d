"""Films on a disk that really is full: a file system of a few pages, in a mount namespace of a process of its own."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_models

from explorer.film import Film, Key, NoiseSweep
from explorer.recipe import Recipe

ROOT = Path(__file__).parents[2]

# Renders to each format on the full disk, over an older file; prints what was said, what is left, and whether it lives.
SCRIPT = """
import json, sys
from pathlib import Path
from explorer import film_file, film_render
from explorer.engine import Engine
from explorer.library import Library
from stylegan.errors import StyleGANError
full, model, film = sys.argv[1:]
engine, film = Engine(Library([Path(model)])), film_file.read(Path(film).read_bytes())
told = {}
for suffix in ("mp4", "webp", "gif", "zip"):
    path = Path(full, f"film.{suffix}")
    path.write_text("an older one")
    try:
        for _ in film_render.render(engine, film, path):
            pass
        said = "nothing"
    except StyleGANError as error:
        said = f"{type(error).__name__}: {error}"
    told[suffix] = [said, path.read_text(errors="replace"), sorted(one.name for one in Path(full).iterdir())]
    path.unlink()
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def namespace():
    """`[command, …]` that runs what follows where it may mount file systems; they are gone when it ends."""
    for command in (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"]):
        if (
            shutil.which("unshare")
            and not subprocess.run(
                [*command, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
            ).returncode
        ):
            return command
    pytest.skip("this system lets nobody here mount a file system")


def test_a_full_disk(tmp_path, namespace):
    """Each format is told of in one sentence once the film is half written; it leaves nothing, and the older film."""
    model = tiny_models.make(tmp_path)
    digest = tiny_models.engine(tmp_path).library.default
    film = Film((Key(Recipe(digest)),), NoiseSweep(), step_sec=2, fps=20, size=128)  # does not compress well
    (tmp_path / "film.json").write_text(film.json)
    full = tmp_path / "full"
    full.mkdir()
    mount = 'mount -t tmpfs -o "size=$0" none "$1" && exec "$2" -c "$3" "$1" "$4" "$5"'
    paths = [str(full), sys.executable, SCRIPT, str(model), str(tmp_path / "film.json")]
    command = [*namespace, "sh", "-c", mount, "32k", *paths]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    for suffix, (said, older, left) in json.loads(done.stdout).items():
        assert said.startswith("DiskFullError: No space left to write"), (suffix, said)
        assert older == "an older one"
        assert left == [f"film.{suffix}"]
