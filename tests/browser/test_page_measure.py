"""The Measure tab in a browser: a measurement begun, watched through a reload, compared, saved; cancelled; read."""

import csv
import json

import measure_toys
import pytest
from app_server import serve
from measure_toys import measurement
from run_folders import photos


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STYLEGAN_CACHE", str(folder / "cache"))
        patch.setenv("OMP_NUM_THREADS", "1")
        photos(folder / "photos")
        measure_toys.extractor(folder)
        with serve(folder) as server:
            yield server


@pytest.fixture
def folder(served):
    return served.app.options.measurements.parent


def opened(visit, url):
    page = visit(url=url)
    page.get_by_role("tab", name="Measure").click()
    page.locator(".measure .host > *").first.wait_for()
    return page


def filled(page, folder, count):
    """The form: photos, the tiny extractor, `count` samples."""
    page.get_by_role("button", name="Folder or zip").click()
    page.get_by_label("Folder or zip on this machine").fill(str(folder / "photos"))
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Extractor").select_option("file")
    page.get_by_label("TorchScript file").fill(str(folder / "means.pt"))
    page.get_by_label("Samples", exact=True).fill(str(count))


def rows(page, count):
    page.wait_for_function(f"document.querySelectorAll('.measure .row').length === {count}", timeout=60_000)


def test_a_measurement_from_choice_to_csv(visit, served, folder, tmp_path):
    page = opened(visit, served.url)
    page.get_by_text("What is measured comes here.").wait_for()
    page.locator(".cost").get_by_text("a first guess").wait_for()
    for count, words in ((0, "from 2 to 100,000"), (1, "from 2 to 100,000"), (10**9, "from 2 to 100,000")):
        page.get_by_label("Samples", exact=True).fill(str(count))
        page.locator(".measure .wrong", has_text=words).wait_for()
    filled(page, folder, 12)
    page.get_by_label("Folder or zip on this machine").fill(str(folder / "nowhere"))
    page.locator(".measure .wrong", has_text="nowhere").wait_for()
    page.get_by_label("Folder or zip on this machine").fill(str(folder / "photos"))
    page.locator(".cost", has_text="About").wait_for()
    page.get_by_label("The classes").check()
    page.get_by_label("The plain").uncheck()
    page.get_by_label("The classes").uncheck()
    page.get_by_label("The plain").check()
    for name in ("Kernel distance (KID)", "Price of ψ"):
        page.get_by_role("button", name=name).click()
    page.get_by_role("button", name="Measure", exact=True).click()
    page.get_by_role("status").filter(has_text="%").wait_for()
    page.reload()  # the work goes on, and the page finds it again
    page.wait_for_function("window.explorer && explorer.answered > 0 && explorer.idle()")
    page.get_by_role("tab", name="Measure").click()
    rows(page, 21)  # distance, precision, recall; and at six ψ
    page.locator(".measure .going").wait_for(state="hidden")
    first = page.locator(".measure .row").filter(has_text="Fréchet distance").first
    assert "TorchScript means" in first.inner_text()
    assert "FID" not in page.locator(".measure .host").inner_text()
    first.locator(".more-of").click()
    page.locator(".all-of", has_text=served.app.library.default[:16]).wait_for()
    page.get_by_label("Show metric").select_option("Recall")
    rows(page, 7)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    download.value.save_as(tmp_path / "saved.csv")
    with open(tmp_path / "saved.csv", encoding="utf-8") as file:
        saved = list(csv.DictReader(file))
    assert [row["metric"] for row in saved] == ["recall"] * 7
    assert {row["model"] for row in saved} == {served.app.library.default}
    page.get_by_label("Show metric").select_option("")
    page.get_by_role("button", name="Charts").click()
    page.locator(".drawn.psi .curve", has_text="Precision").locator(".line").wait_for(state="attached")
    page.get_by_role("button", name="Side by side").click()
    page.locator(".compared tbody tr", has_text="The plain").wait_for()
    page.get_by_role("button", name="Table").click()
    page.get_by_label("Show metric").select_option("Recall")
    rows(page, 7)
    page.locator(".row .remove").first.click()
    page.locator(".row .remove", has_text="remove?").click()
    rows(page, 6)


def test_cancelling_leaves_the_table_whole(visit, served, folder):
    before = served.app.measurer.store.all()
    page = opened(visit, served.url)
    filled(page, folder, 50_000)
    page.locator(".cost", has_text="About").wait_for()
    page.get_by_role("button", name="Measure", exact=True).click()
    page.get_by_role("status").filter(has_text="The plain: ").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.locator(".measure .going").wait_for(state="hidden")
    assert served.app.measurer.store.all() == before
    page.get_by_role("button", name="Measure", exact=True).and_(page.locator(":enabled")).wait_for()


def test_measurements_of_the_command_line_are_read_in_and_drawn(visit, served, tmp_path):
    shares = {"low": 0, "high": 1, "data": [0.5, 0.5], "samples": [0.25, 0.75]}
    some = [
        measurement("overlap", 0.75, extractor="scorer abcd", settings={"histograms": {"wears_glasses": shares}}),
        *(measurement(value=9.0 - k, kimg=10.0 * k, model=f"{k:064x}", model_name="a run") for k in (1, 2, 3)),
    ]
    file = tmp_path / "cli.jsonl"
    file.write_text("".join(json.dumps(item.to_json()) + "\n" for item in some) + "no line of ours\n")
    page = opened(visit, served.url)
    page.set_input_files("[aria-label='A file of measurements']", file)
    page.get_by_text("4 measurements read in, 1 line is no measurement.").wait_for()
    page.get_by_role("button", name="Charts").click()
    page.locator(".drawn.kimg", has_text="a run").locator(".line").first.wait_for(state="attached")
    page.locator(".histograms figure", has_text="wears glasses").filter(has_text="75 %").wait_for()
    (tmp_path / "wrong.jsonl").write_text("nothing\n")
    page.set_input_files("[aria-label='A file of measurements']", tmp_path / "wrong.jsonl")
    page.get_by_text("There is no measurement in this file").wait_for()


def test_strangers_read(visit, tmp_path):
    with serve(tmp_path, read_only=True) as server:
        server.app.measurer.store.append([measurement()])
        page = opened(visit, server.url)
        page.locator(".measure .row", has_text="cats").wait_for()
        assert page.locator(".measure .ask, .measure .remove").count() == 0
        assert page.get_by_role("button", name="Read in…").count() == 0
        page.get_by_role("button", name="CSV").wait_for()
        page.context.close()
