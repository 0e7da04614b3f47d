"""The Train tab in a real browser: a run begun, watched, stopped, resumed, followed; the app killed in between."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import tiny_models
from app_server import free_port
from PIL import Image

ROOT = Path(__file__).parents[2]
BUSY = ["queued", "preparing", "training", "stopping"]
TINY = {"fmap_base": 64, "fmap_max": 8, "z_dim": 8, "w_dim": 8, "mapping_layers": 1, "snapshot_kimg": 0.2}


@pytest.fixture
def app(tmp_path):
    """`app()`: the app as people start it, on one folder of runs; what it trains ends with the test."""
    model = tiny_models.make(tmp_path)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "STYLEGAN_CACHE": str(tmp_path / "cache")}
    environment["GRADIO_TEMP_DIR"] = str(tmp_path / "temporary")

    @contextmanager
    def start():
        port = free_port()
        command = [sys.executable, "app.py", "--port", port, "--model", model, "--device", "cpu"]
        command += [word for name in ("models", "gallery", "runs") for word in (f"--{name}", tmp_path / name)]
        words = [str(word) for word in command]
        with subprocess.Popen(words, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as p:
            try:
                while not _answers(f"http://127.0.0.1:{port}/"):
                    assert p.poll() is None
                    time.sleep(0.1)
                yield f"http://127.0.0.1:{port}", p
            finally:
                p.kill()

    yield start
    from explorer.runs import Runs

    runs = Runs(tmp_path / "runs")
    while any(status.state in BUSY for status in runs.listing()):
        for status in runs.listing():
            runs.stop(status.name)
        time.sleep(0.2)


def _answers(url):
    try:
        urllib.request.urlopen(url, timeout=1).close()
    except (urllib.error.URLError, OSError):
        return False
    return True


def opened(visit, url):
    page = visit(url=url)
    page.get_by_role("tab", name="Train").click()
    page.locator(".train .one, .train .new-run:not([hidden])").first.wait_for()
    return page


def state(page, name, wanted):
    page.locator(f".train .one[data-run='{name}'][data-state='{wanted}']").wait_for(timeout=60_000)


def kimg(page):
    """Of the newest sample grid that is shown."""
    words = page.locator(".pane .line span").first.inner_text()
    return float(words.split(" kimg")[0])


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signals")
def test_a_run_outlives_the_app_is_stopped_resumed_opened_and_killed(app, visit, tmp_path):
    pictures = []
    for i in range(6):
        pictures.append(tmp_path / f"{i}.png")
        Image.fromarray(np.random.default_rng(i).integers(0, 256, (20, 24, 3), dtype=np.uint8)).save(pictures[-1])
    with app() as (url, process):
        page = opened(visit, url)
        page.get_by_role("radio", name="Upload").click()
        page.set_input_files("[aria-label='Images or a zip']", pictures)
        page.get_by_text("6 images of 24×20 pixels").wait_for()
        page.get_by_text("6 images are few").wait_for()
        page.get_by_label("Resolution", exact=True).select_option("16")
        page.get_by_label("Length, kimg").fill("5000")
        page.get_by_text("All settings").click()
        for name, value in TINY.items():
            page.get_by_label(name, exact=True).fill(str(value))
        page.get_by_label("Minibatch").fill("6")
        page.get_by_text("no multiple of the discriminator's group").wait_for()
        page.get_by_label("Minibatch").fill("4")
        page.get_by_label("Name").fill("first")
        page.get_by_role("button", name="Begin training").click()
        state(page, "first", "training")
        page.locator(".curve", has_text="Losses").locator(".line").first.wait_for()
        page.wait_for_function("document.querySelector('.pane img').naturalWidth === 128")
        page.context.close()
        process.kill()
    with app() as (url, _):
        page = opened(visit, url)
        state(page, "first", "training")
        plain, before = page.evaluate("explorer.value('model')"), kimg(page)
        page.wait_for_function(f"parseFloat(document.querySelector('.pane .line span').textContent) > {before}")
        page.get_by_role("button", name="Follow").first.click()
        page.get_by_role("button", name="following first").wait_for()
        page.wait_for_function("document.querySelector('#model input').value.startsWith('first, ')")
        shown = page.locator("#model input").input_value()
        page.wait_for_function("(old) => document.querySelector('#model input').value !== old", arg=shown)
        page.evaluate("(digest) => explorer.edit('model', digest)", plain)  # another model by hand ends it
        page.get_by_role("button", name="following first").wait_for(state="hidden")
        page.get_by_role("tab", name="Train").click()
        page.get_by_role("button", name="Stop", exact=True).click()
        state(page, "first", "stopped")
        page.get_by_text("resuming goes on from there").wait_for()
        page.get_by_role("button", name="Two side by side").click()
        page.wait_for_function(
            "new Set([...document.querySelectorAll('.pane img')].map((one) => one.dataset.key)).size === 2"
        )
        page.get_by_role("button", name="Open in Explore").first.click()
        page.wait_for_function("explorer.idle() && !document.body.classList.contains('wide')")
        newest = sorted((tmp_path / "runs" / "first" / "snapshots").glob("[0-9]*.???.safetensors"))[-1].stem
        name = f"first, {float(newest):g} kimg"
        page.wait_for_function("(name) => document.querySelector('#model input').value.startsWith(name)", arg=name)
        page.get_by_role("tab", name="Train").click()
        page.get_by_role("button", name="Resume").click()
        state(page, "first", "training")
        page.wait_for_function(f"parseFloat(document.querySelector('.pane .line span').textContent) > {float(newest)}")
        os.kill(_trainer(tmp_path / "runs" / "first"), signal.SIGKILL)
        state(page, "first", "failed")
        page.get_by_role("status").filter(has_text="It was killed (SIGKILL)").wait_for()
        page.get_by_role("button", name="Duplicate").click()
        page.wait_for_function("document.querySelector('[aria-label=Name]')?.value === 'first-2'")
        assert page.get_by_label("Minibatch").input_value() == "4"
        page.get_by_label("Minibatch").fill("8")
        page.get_by_role("button", name="Begin training").click()
        state(page, "first-2", "training")
        page.get_by_label("Compare first", exact=True).check()
        page.locator(".settings tr", has_text="minibatch").wait_for()
        page.locator(".train .one[data-run='first-2'] .name").click()
        page.get_by_role("button", name="Stop", exact=True).click()
        state(page, "first-2", "stopped")
        page.locator(".train .one[data-run='first'] .name").click()
        page.get_by_role("button", name="Delete…").click()
        page.get_by_role("button", name="Really delete?").wait_for()
        assert (tmp_path / "runs" / "first").exists()  # it asks first
        page.get_by_role("button", name="Really delete?").click()
        page.wait_for_function("!document.querySelector(\".train .one[data-run='first']\")")
        assert not (tmp_path / "runs" / "first").exists()
        page.context.close()


def _trainer(run):
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if f"--out={run.resolve()}" in words:
                return int(folder.name)
    raise AssertionError("no trainer")


def test_the_tab_is_not_built_where_strangers_come(tmp_path):
    from explorer.context import AppContext
    from explorer.options import Options
    from explorer.ui import shell

    model = tiny_models.make(tmp_path)
    for options, built in (({}, True), ({"share": True}, False), ({"read_only": True}, False)):
        app = AppContext.open(Options(models=(model,), folder=tmp_path / "m", runs=tmp_path / "r", **options))
        names = [getattr(block, "elem_id", None) for block in shell.build(app).blocks.values()]
        assert ("training" in names) is built
