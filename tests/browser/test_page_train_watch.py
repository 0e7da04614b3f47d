"""The Train tab in a real browser: what it shows of runs that lie in the folder, as if copied from elsewhere."""

import base64
import io
import shutil

import numpy as np
import pytest
import steps
import tiny_models
from PIL import Image
from run_folders import written

from explorer import run_live
from explorer.adapt import fresh
from stylegan.config import DiscriminatorConfig
from stylegan.model_file import save
from stylegan.networks import Discriminator


def ticks(last):
    numbers = {"generator_loss": 1.0, "discriminator_loss": 0.7, "lod": 0.0, "resolution": 16, "learning_rate": 0.003}
    return [{"event": "tick", "kimg": last * i / 40, **numbers, "penalty": 0.1 / i} for i in range(1, 41)]


def snapshot(path, kimg, seed):
    """A generator, its discriminator, and samples of one colour."""
    name = f"{kimg:010.3f}"
    tiny_models.make(path / "snapshots", name, seed=seed)
    D = Discriminator(DiscriminatorConfig(resolution=16, fmap_base=64, fmap_max=8))
    save(D, path / "snapshots" / f"{name}.discriminator.safetensors")
    Image.new("RGB", (64, 32), (seed * 7, 90, 120)).save(path / "samples" / f"{name}.png")


@pytest.fixture
def run(served):
    """`run(name, …)`: a run folder that is dropped in, with snapshots of 1 and 2 kimg."""
    root = served.app.options.runs

    def make(name, seed=10, last=2.0):
        measured = [{"event": "metrics", "kimg": last / i, "values": {"frechet": 90.0 * i}} for i in (2, 1)]
        path = written(root / name, [{"event": "started", "kimg": 0.0}, *ticks(last), *measured])
        for i in (1, 2):
            snapshot(path, last * i / 2, seed + i)
        return path

    yield make
    shutil.rmtree(root, ignore_errors=True)


def opened(page):
    page.get_by_role("tab", name="Train").click()
    page.locator(".train .one").first.wait_for()


def shown(page, pane):
    """The picture in a pane: uint8 `[H, W, 3]`."""
    uri = page.locator(".pane img").nth(pane).get_attribute("src")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGB"))


def test_two_snapshots_live_and_one_of_their_pictures_in_explore(visit, served, run):
    path = run("grown")
    page = visit()
    opened(page)
    page.get_by_role("button", name="Two side by side").click()
    page.get_by_role("button", name="Live").click()
    page.get_by_label("Seeds of the live pictures").fill("3,5,8,13,21")
    page.get_by_label("Seeds of the live pictures").press("Enter")
    page.wait_for_function(
        "[...document.querySelectorAll('.pane img')].filter((one) => one.dataset.key?.includes('3,5,8,13,21')"
        " && one.naturalHeight === 32).length === 2"
    )
    app = served.app
    recipe = fresh(app.library.card(app.library.default))
    for pane, name in enumerate(("000002.000", "000001.000")):  # the newest, and beside it the oldest
        file = path / "snapshots" / f"{name}.safetensors"
        wanted = run_live.pictures(app.engine, app.library, file, [3, 5, 8, 13, 21], 0.7, recipe, "test")
        assert np.array_equal(shown(page, pane), wanted.sheet)
    assert not np.array_equal(shown(page, 0), shown(page, 1))
    box = page.locator(".pane img").nth(1).bounding_box()
    page.locator(".pane img").nth(1).click(position={"x": box["width"] / 8, "y": box["height"] * 0.75})  # the fifth
    found = steps.until(page, "recipe.source === 21")
    assert found == wanted.recipes[4]
    page.wait_for_function("document.querySelector('#model input').value.includes('000001.000')")


def test_following_outlives_a_reload_and_ends_with_the_run(visit, served, run):
    path = run("grown")
    page = visit()
    opened(page)
    page.get_by_role("button", name="Follow").click()
    page.get_by_role("button", name="following grown, 2 kimg").wait_for()
    page.reload()
    page.get_by_role("button", name="following grown, 2 kimg").wait_for()  # no one has opened the tab
    snapshot(path, 3.0, 30)
    page.get_by_role("button", name="following grown, 3 kimg").wait_for()
    page.wait_for_function("document.querySelector('#model input').value.includes('000003.000')")
    shutil.rmtree(path)
    page.get_by_role("button", name="following").wait_for(state="hidden")
    assert page.evaluate("sessionStorage.getItem('explorer.follow')") is None


def test_several_runs_are_compared_in_one_chart_each_with_its_samples(visit, run):
    for seed, name in enumerate(("a", "b", "c"), start=1):
        run(name, seed=10 * seed, last=float(seed))
    page = visit()
    opened(page)
    for name in ("a", "b", "c"):
        page.get_by_label(f"Compare {name}", exact=True).check()
    page.wait_for_function(
        "document.querySelectorAll('.curve:first-child .line').length === 6"  # G and D of each
    )
    page.wait_for_function(
        "[...document.querySelectorAll('.pane:not([hidden]) img')].filter((one) => one.naturalWidth === 64).length > 2"
    )
    page.locator(".curve", has_text="Fréchet distance").locator("circle").nth(5).wait_for()  # two of each
    page.get_by_text("Settings that differ").wait_for()
    keys = page.evaluate("[...document.querySelectorAll('.pane:not([hidden]) img')].map((one) => one.dataset.key)")
    assert sorted(key.split("/")[0] for key in keys) == ["a", "b", "c"]
    assert len({tuple(shown(page, pane)[0, 0]) for pane in range(3)}) == 3


def test_a_new_run_from_any_snapshot(visit, run):
    run("grown")
    page = visit()
    opened(page)
    page.get_by_label("Samples at").fill("0")
    page.get_by_text("1 kimg", exact=True).wait_for()
    page.get_by_role("button", name="Train from here").click()
    page.wait_for_function("document.querySelector(\"[aria-label='Begin from']\")?.value === 'run:grown/000001.000'")
    assert page.get_by_label("Resolution", exact=True).input_value() == "16"
    assert page.get_by_label("Name").input_value() == "grown-2"
    page.get_by_text("All settings").click()
    page.wait_for_function("document.querySelector('[aria-label=z_dim]').placeholder === '16'")  # taken over
    page.locator("[aria-label='Measure each'] option", has_text="no (preset)").wait_for(state="attached")
    page.get_by_label("Measure each").select_option("Fréchet distance")
    page.get_by_label("Resolution", exact=True).select_option("8")
    page.get_by_text("make pictures of 16²: choose that resolution, or a larger one").wait_for()
    page.get_by_label("Begin from").select_option("run:grown/000002.000")  # it sets the resolution too
    page.get_by_text("make pictures of 16²").wait_for(state="hidden")


def test_broken_folders_are_told_and_the_tab_goes_on(visit, run):
    run("whole")
    (run("half") / "config.json").write_text('{"format": 1, "tr')
    (run("newer") / "config.json").write_text('{"format": 99}')
    half = run("copied") / "snapshots" / "000002.000.safetensors"
    half.write_bytes(half.read_bytes()[:500])
    page = visit()
    opened(page)
    for name, words in (("half", "is damaged"), ("newer", "was written by a newer version (format 99): update")):
        page.locator(f".train .one[data-run='{name}'] .name").click()
        page.get_by_role("status").filter(has_text=words).wait_for()
        page.locator(".curve .line").first.wait_for(state="attached")  # its events can be read
    page.locator(".train .one[data-run='copied'] .name").click()
    page.get_by_role("button", name="Live").click()
    page.get_by_text("is not a whole safetensors file").wait_for()
    page.get_by_label("Samples at").fill("0")
    page.wait_for_function("document.querySelector('.pane img').dataset.key?.startsWith('copied/000001.000/')")
    page.locator(".train .one[data-run='whole'] .name").click()
    page.wait_for_function("document.querySelector('.pane img').dataset.key?.startsWith('whole/')")
