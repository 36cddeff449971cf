"""The page in a real browser: it sorts, filters and tells, it asks for nothing and nothing goes wrong."""

import pytest

from cellbench import load_results
from cellbench.reporting.report.page import Look, render, report

from ..made_records import judged, make, saved
from ..made_results import judgements
from .chromium import opened, program
from .test_report import hostile

pytestmark = pytest.mark.skipif(program() is None, reason="no Chromium here: apt-get install chromium")

ORDER = "[...document.querySelectorAll('.board')[0].tBodies[0].rows].map((row) => row.cells[0].textContent.trim())"
ROWS = "[...document.querySelectorAll('.board tbody tr')].filter((row) => row.offsetParent)"
SHOWN = f"{ROWS}.map((row) => row.cells[0].textContent.trim())"

# Texts whose colour is too near to that of their ground: WCAG 2 asks for 4.5 to 1.
FAINT = """(() => {
  const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const seen = (colour) => {
    pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const linear = (v) => v / 255 <= .04045 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4;
  const light = (c) => .2126 * linear(c[0]) + .7152 * linear(c[1]) + .0722 * linear(c[2]) + .05;
  const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text; (text = texts.nextNode());) {
    const one = text.parentElement;
    if (!text.data.trim() || !one.getClientRects().length) continue;
    if (one.closest('script, style, [aria-pressed=false], .confusion .mark-text')) continue;
    const behind = (part) => seen(getComputedStyle(part).backgroundColor);
    let ground = one;
    while (ground.parentElement && behind(ground)[3] < 250) ground = ground.parentElement;
    const look = getComputedStyle(one), below = behind(ground), ink = seen(one.closest('svg') ? look.fill : look.color);
    const [a, b] = [light(ink), light(below)];
    if (Math.max(a, b) / Math.min(a, b) < 4.5) found.push(text.data.trim());
  }
  return found;
})()"""


# Waits until every figure is drawn.
DRAWN = """(async () => {
  const drawn = () => "drawn" in document.documentElement.dataset;
  for (let n = 0; n < 200 && !drawn(); n++) await new Promise((then) => setTimeout(then, 50));
})()"""


# The middle of a mark that nothing lies on.
ON_TOP = """(() => {
  for (const mark of document.querySelectorAll('.time .mark-symbol path')) {
    mark.scrollIntoView({ block: 'center', behavior: 'instant' });
    const box = mark.getBoundingClientRect(), at = [box.x + box.width / 2, box.y + box.height / 2];
    const tells = mark.getAttribute('aria-label')?.includes('method');
    if (tells && document.elementFromPoint(...at) === mark) return at;
  }
})()"""


def click(selector: str, at: int = 0) -> str:
    return f"document.querySelectorAll({selector!r})[{at}].click()"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    simulated = {"synthetic": True}
    more = [judged("plain18", 0.9, 7, facts=simulated, dataset="toys"), (make("mlp", dataset="toys"), {})]
    content = report(load_results(saved(folder / "results", *judgements(), *more)))
    cell = bytes.fromhex("ffd8ffd9")
    looks = {scope: Look(cells=dict.fromkeys(wanted, cell)) for scope, wanted in content.shown_images().items()}
    (folder / "r.html").write_text(render(content, looks), "utf-8")
    return folder / "r.html"


@pytest.fixture(scope="module")
def page(file):
    with opened(file) as page:
        yield page


def test_it_opens_within_two_seconds_asks_for_nothing_and_logs_nothing(file):
    with opened(file) as page:
        took = page.run("performance.timing.loadEventEnd - performance.timing.navigationStart")
        page.run(DRAWN)
        page.run(click("#theme"))
        page.run(click("[data-copy]"))
        asked = [event["request"]["url"] for event in page.of("Network.requestWillBeSent")]
        assert [url for url in asked if not url.startswith("data:")] == [file.resolve().as_uri()]
        assert page.of("Runtime.exceptionThrown") == []
        assert page.of("Runtime.consoleAPICalled") == []
        assert page.of("Log.entryAdded") == []
    assert took < 2000


def test_a_click_on_a_heading_sorts_by_it_and_another_turns_the_order(page):
    heads = page.run("[...document.querySelectorAll('.board')[0].rows[0].cells].map((cell) => cell.textContent.trim())")
    best_first = page.run(ORDER)
    training = next(i for i, head in enumerate(heads) if head.startswith("training"))
    press = f"document.querySelectorAll('.board')[0].rows[0].cells[{training}].querySelector('button').click()"
    values = (
        f"[...document.querySelectorAll('.board')[0].tBodies[0].rows].map((row) => row.cells[{training}].dataset.value)"
    )
    page.run(press)
    falling = [float(value) if value else None for value in page.run(values)]
    assert falling[-1] is None  # the run that failed
    assert falling[:-1] == sorted(falling[:-1], reverse=True)
    page.run(press)
    rising = [float(value) for value in page.run(values)[:-1]]
    assert rising == sorted(rising)
    assert page.run(values)[-1] == ""
    page.run("document.querySelectorAll('.board')[0].rows[0].cells[0].querySelector('button').click()")
    assert page.run(ORDER) == sorted(best_first)
    marked = "[...document.querySelectorAll('.board')[0].querySelectorAll('[aria-sort]')].map((one) => one.ariaSort)"
    assert [sort for sort in page.run(marked) if sort != "none"] == ["ascending"]


def test_rows_are_filtered_by_words_kind_and_device(page):
    everything = page.run(SHOWN)
    put = (
        "for (const [id, value] of {}) {{ const one = document.getElementById(id); one.value = value;"
        " one.dispatchEvent(new Event('input')) }}"
    )
    page.run(put.format('[["filter", "SVM cuda"]]'))
    assert page.run(SHOWN) == ["svm-hog"]
    assert page.run("document.querySelector('#count').value") == f"1 of {len(everything)} rows"
    page.run(put.format('[["filter", ""], ["family", "svm"]]'))
    assert set(page.run(SHOWN)) == {"svm-hog"}
    page.run(put.format('[["device", "cuda"]]'))
    assert page.run(SHOWN) == ["svm-hog"]
    page.run(put.format('[["family", ""], ["device", ""]]'))
    assert page.run(SHOWN) == everything


def test_a_data_set_can_be_looked_at_alone(page):
    chip = "[...document.querySelectorAll('[data-only]')].find((one) => one.dataset.only === '{}').click()"
    parts = "[...document.querySelectorAll('[data-dataset]')].filter((one) => one.offsetParent)"
    seen = f"[...new Set({parts}.map((one) => one.dataset.dataset))]"
    assert set(page.run(seen)) == {"hep2", "wells", "toys"}
    page.run(chip.format("wells"))
    assert page.run(seen) == ["wells"]
    page.run(chip.format(""))
    assert set(page.run(seen)) == {"hep2", "wells", "toys"}


def test_every_figure_is_drawn_with_vega_and_each_name_can_be_read(page):
    page.run(DRAWN)
    n = page.run("document.querySelectorAll('[data-chart]').length")
    assert n == page.run("document.querySelectorAll('[data-chart] svg').length") > 3
    written = page.run("[...document.querySelectorAll('.time svg text')].map((one) => one.textContent)")
    assert {"resnet18", "svm-hog", "accuracy on test", "CPU, 2 processor threads"} <= set(written)


def test_the_table_beside_a_figure_is_opened_and_scrolled_with_the_keyboard(page):
    page.run("document.querySelector('.time summary').focus()")
    page.press("Enter")
    assert page.run("document.querySelector('.time details').open") is True
    page.press("Tab")
    assert page.run("document.activeElement.matches('.time .wide')") is True
    heads = page.run("[...document.querySelectorAll('.time thead th')].map((one) => one.textContent)")
    assert heads[0] == "method"
    assert "accuracy on test" in heads


def test_the_pointer_on_a_mark_tells_its_run(page):
    page.run(DRAWN)
    tip = "document.querySelector('#vg-tooltip-element')"
    told = ""
    for _ in range(20):  # other figures are still drawn above it on a busy machine, and move it
        if found := page.run(ON_TOP):
            x, y = found
            page.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x - 3, y=y)
            page.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        told = page.run(f"new Promise((then) => setTimeout(then, 200)).then(() => {tip}?.textContent ?? '')")
        if told:
            break
    assert "method" in told
    assert "accuracy on test" in told
    page.ask("Input.dispatchMouseEvent", type="mouseMoved", x=1, y=1)


def test_everything_that_can_be_pressed_is_reached_by_the_tab_key(file):
    reached = set()
    with opened(file) as page:
        for _ in range(25):
            page.press("Tab")
            at = "document.activeElement"
            reached.add(page.run(f"{at}.id || {at}.hash || {at}.tagName"))
    assert {"#answer", "#leaderboard", "theme", "filter", "family", "device", "BUTTON"} <= reached


def test_a_theme_that_was_chosen_wins_over_the_systems(page):
    paper = "getComputedStyle(document.querySelector('.card')).backgroundColor"
    page.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    dark = page.run(paper)
    page.run(click("#theme"))
    light = page.run(paper)
    assert (dark, light) == ("rgb(21, 23, 28)", "rgb(255, 255, 255)")
    page.run(click("#theme"))
    assert page.run(paper) == dark
    page.ask("Emulation.setEmulatedMedia", media="print")
    assert page.run(paper) == light  # paper is white
    page.ask("Emulation.setEmulatedMedia", media="", features=[])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(page, scheme):
    page.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    page.run("localStorage.clear(); delete document.documentElement.dataset.theme")
    page.run("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    page.run(DRAWN)
    assert page.run("document.querySelectorAll('.confusion svg text').length") > 0
    assert page.run(FAINT) == []
    page.ask("Emulation.setEmulatedMedia", media="", features=[])


def test_on_a_telephone_figures_are_seen_whole_with_letters_that_can_be_read(file):
    with opened(file) as page:
        page.run(DRAWN)
        page.ask("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=1, mobile=True)
        page.run("document.documentElement.removeAttribute('data-drawn'); dispatchEvent(new Event('resize'))")
        page.run(DRAWN)
        widths = page.run("[...document.querySelectorAll('.chart')].map((one) => [one.scrollWidth, one.clientWidth])")
        assert widths
        assert all(needed <= there for needed, there in widths)
        letters = page.run(
            "[...document.querySelectorAll('.chart text')].filter((one) => one.textContent).map((one) => {"
            " const turned = one.getScreenCTM();"
            " return parseFloat(getComputedStyle(one).fontSize) * Math.hypot(turned.a, turned.b) })"
        )
        assert min(letters) >= 8


def test_accuracy_is_on_screen_on_a_telephone(file):
    with opened(file) as page:
        page.ask("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=1, mobile=True)
        heads = "[...document.querySelectorAll('.board thead th')].filter((head) => head.offsetParent)"
        figures = f"{heads}.filter((head) => /^test (accuracy|macro-F1)/.test(head.textContent.trim()))"
        right = page.run(f"{figures}.map((head) => head.cellIndex === 1 ? head.getBoundingClientRect().right : 0)")
        assert right
        assert max(right) <= 390


def test_nothing_is_wider_than_a_telephone(file):
    with opened(file, width=500, height=900) as page:
        page.ask("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=1, mobile=True)
        assert page.run("document.documentElement.scrollWidth") <= 390


def test_what_users_wrote_does_not_run(results, tmp_path):
    (tmp_path / "evil.html").write_text(hostile(results), "utf-8")
    with opened(tmp_path / "evil.html") as page:
        page.run(DRAWN)
        page.run(
            "document.querySelectorAll('path, td, th').forEach((one) => one.dispatchEvent(new Event('mouseover')))"
        )
        assert page.of("Page.javascriptDialogOpening") == []
        assert page.of("Runtime.exceptionThrown") == []
        assert "<script>alert(1)</script>" in page.run("document.querySelector('.confusion svg').textContent")
