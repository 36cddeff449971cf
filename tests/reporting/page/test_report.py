"""The page of a report: its figures are the frame's, nothing that users wrote acts, and it needs no other file."""

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cellbench import load_results
from cellbench.cli import cli
from cellbench.core.data import Dataset, Info, Split
from cellbench.core.records.runs import TRAINING_PHASES
from cellbench.datasets.display import colours
from cellbench.datasets.files import cache
from cellbench.reporting.charts.kinds.time import MOST_NAMES, PALE
from cellbench.reporting.charts.registry import kinds
from cellbench.reporting.charts.render import javascript, panels
from cellbench.reporting.charts.style import NARROW, WIDTH
from cellbench.reporting.report.gallery import SEVERAL
from cellbench.reporting.report.page import Look, render, report

from ..charts.specification import layers, texts
from ..made_records import CLASSES, TAKEN, TRUTH, epochs, judged, make, predictions, saved, several_labels
from ..made_results import judgements, sizes

EVIL = "<script>alert(1)</script>"
VOID = {"meta", "link", "input", "img", "br", "path", "rect", "use", "circle"}


class Page(HTMLParser):
    """elements: (tag, attributes, text directly in it), in order; open: how many elements were never closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self.stack: list[tuple[str, dict[str, str], list[str]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))
        if tag not in VOID:
            self.stack.append(self.elements[-1])

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))

    def handle_endtag(self, tag):
        assert self.stack[-1][0] == tag, f"</{tag}> closes <{self.stack[-1][0]}>"
        self.stack.pop()

    def handle_data(self, data):
        for element in self.stack:
            element[2].append(data)

    def all(self, tag: str, **attributes: str) -> list[tuple[dict[str, str], str]]:
        return [
            (found, "".join(text))
            for name, found, text in self.elements
            if name == tag and all(found.get(key.strip("_")) == value for key, value in attributes.items())
        ]


def board(page: Page) -> list[dict[str, str]]:
    """The first leaderboard: by heading the raw value of each cell."""
    inside, heads, rows = False, [], []
    for tag, attributes, text in page.elements:
        if tag == "table":
            if heads:
                break
            inside = attributes.get("class") == "board"
        elif inside and tag == "th" and attributes.get("scope") == "col":
            heads.append("".join(text).strip())
        elif inside and tag == "tr":
            rows.append([])
        elif inside and tag in ("td", "th") and rows:
            rows[-1].append(attributes.get("data-value"))
    return [dict(zip(heads, row, strict=True)) for row in rows if row]


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """The results of `judgements`, and what the page has of them; tests do not change either."""
    found = load_results(saved(tmp_path_factory.mktemp("usual") / "results", *judgements()))
    return found, report(found)


@pytest.fixture
def page(results):
    """The page of records, as text, by whatever makes it."""

    def make_page(*records, **further):
        content = report(load_results(results(*records)))
        return render(content, {scope: Look(lacking="not here") for scope in content.shown_images()}, **further)

    return make_page


def test_the_figures_of_the_leaderboard_are_those_of_the_frame(usual):
    results, content = usual
    frame = results.to_frame()
    rows = board(Page(render(content, {scope: Look() for scope in content.shown_images()})))
    own = frame[(frame["dataset"] == rows_of(content)) & (frame["status"] == "ok")]
    assert len(rows) == own.groupby(["method", "device"]).ngroups + 1  # and one that failed
    for (method, device), runs in own.groupby(["method", "device"]):
        row = next(row for row in rows if row["method"] == method and row["device (threads)"].startswith(device))
        assert float(row["test accuracy %"]) == runs["test_accuracy"].mean()
        assert float(row["test macro-F1 %"]) == runs["test_macro_f1"].mean()
        assert float(row[next(key for key in row if key.startswith("training"))]) == runs["train_seconds"].mean()
        seconds = runs[[f"seconds_{phase}" for phase in TRAINING_PHASES]].sum(axis=1)
        assert runs["train_seconds"].mean() == pytest.approx(seconds.mean())


def rows_of(content) -> str:
    return content.boards[0].dataset


def test_the_answer_comes_first_in_the_words_of_the_table(usual):
    results, content = usual
    page = Page(render(content, {scope: Look() for scope in content.shown_images()}))
    said = CliRunner().invoke(cli, ["table", str(results.folder), "--view", "svm-vs-deep", "--format", "csv"]).stdout
    sentences = [text for _, text in page.all("p", class_="sentence")]
    assert sentences
    assert all(sentence in said.replace('""', '"') for sentence in sentences)
    texts = [text for _, text in page.all("h2")]
    assert texts[0] == "The answer"


def hostile(results):
    """Records whose class, data set, reason and title are what somebody wrote to do harm."""
    classes = [EVIL, 'x" onmouseover="alert(1)', "a&b", "</style><b>", "e", "f"]
    records = [
        judged(
            "svm-hog", 0.8, 1, facts={"classes": classes}, dataset=f"d{EVIL}", split='"><img src=x onerror=alert(2)>'
        ),
        judged("cnn", 0.9, 2, facts={"classes": classes}, dataset=f"d{EVIL}", split='"><img src=x onerror=alert(2)>'),
        make("mlp", status="failed", reason="<img src=x onerror=alert(3)>", dataset="plain"),
    ]
    content = report(load_results(results(*records)), title=f"T{EVIL}")
    return render(
        content, {scope: Look(lacking=EVIL) for scope in content.shown_images()}, day=EVIL, results=Path(EVIL)
    )


def test_what_users_wrote_is_shown_and_never_becomes_part_of_the_page(results):
    html = hostile(results)
    page = Page(html)
    assert not page.stack
    assert EVIL not in html
    assert EVIL in "".join(text for _, text in page.all("td"))
    assert len(page.all("script")) == 4  # theme, charts, what draws them, all else
    assert "</style>" not in html.split("</style>", 1)[1]
    handlers = {key for _, attributes, _ in page.elements for key in attributes if key.startswith("on")}
    assert not handlers
    assert not [attributes for attributes, _ in page.all("img") if not attributes["src"].startswith("data:")]


def test_the_page_asks_for_no_other_file(usual):
    _, content = usual
    html = render(content, {scope: Look(lacking="not here") for scope in content.shown_images()}, day="2026-11-20")
    found = Page(html)
    links = [v for _, attributes, _ in found.elements for k, v in attributes.items() if k in ("src", "href", "srcset")]
    assert links
    assert all(link.startswith(("data:", "#")) for link in links)
    schemas = html.replace(javascript(), "").replace("https://vega.github.io/schema/vega-lite", "")
    assert not re.search(r"url\(|@import|https?://", schemas)
    policy = found.all("meta", **{"http-equiv": "Content-Security-Policy"})[0][0]["content"]
    assert policy.startswith("default-src 'none'")


def test_without_pictures_the_page_says_how_to_prepare_them(results, tmp_path, monkeypatch):
    monkeypatch.setenv("CELLBENCH_DATA", str(tmp_path / "empty"))
    root = results(judged("svm-hog", 0.8, 1), judged("cnn", 0.9, 2), judged("cnn", 0.9, 2, dataset="folder:mine"))
    target = tmp_path / "new" / "r.html"
    out = CliRunner().invoke(cli, ["report", str(root), "-o", str(target)], catch_exceptions=False)
    assert out.exit_code == 0
    assert out.stdout.strip() == str(target)
    text = "".join(text for _, text in Page(target.read_text("utf-8")).all("p", class_="lacking"))
    assert "'hep2' is not prepared here; " in text
    assert "cellbench prepare hep2" in text
    assert "cellbench prepare FOLDER, that of 'mine'" in text


def test_a_file_that_is_no_page_is_refused(results):
    out = CliRunner().invoke(cli, ["report", str(results(make("cnn"))), "-o", "report.pdf"])
    assert out.exception
    assert "ends in .html" in str(out.exception)


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """A data set of 700 small images of 3 channels in a cache of its own, and its fingerprint."""
    monkeypatch.setenv("CELLBENCH_DATA", str(tmp_path / "data"))
    rng = np.random.default_rng(0)
    labels = np.arange(700) % 6
    images = rng.integers(0, 60, (700, 3, 20, 30)).astype(np.uint8)
    images[:, :, 5:15, 8:20] += (30 * labels[:, None, None, None]).astype(np.uint8)
    split = Split("official", np.arange(600, 660), np.arange(660, 700), np.arange(600))
    data = Dataset("mine", images, labels, tuple(CLASSES), ("a", "b", "c"), split, info=Info(citation="Doe <2026>"))
    return cache.read(cache.prepare("mine-1", lambda scratch: data))


def test_pictures_are_those_of_the_prepared_data_set_of_the_same_content(prepared, results, tmp_path):
    facts = {"counts": dict(prepared.class_counts())}
    mine = {"dataset": "mine", "fingerprint": prepared.info.fingerprint, "facts": facts}
    root = results(judged("svm-hog", 0.8, 1, **mine), judged("cnn", 0.9, 2, **mine))
    target = tmp_path / "r.html"
    CliRunner().invoke(cli, ["report", str(root), "-o", str(target)], catch_exceptions=False)
    page = Page(target.read_text("utf-8"))
    pictures = page.all("img")
    assert len(pictures) > 36
    for attributes, _ in pictures[:3] + pictures[-3:]:
        index = int(re.match(r"image (\d+)", attributes["alt"])[1])
        file = io.BytesIO(base64.b64decode(attributes["src"].partition(",")[2]))
        shown = np.asarray(Image.open(file).convert("RGB"), float)
        expected = colours.to_rgb(
            prepared.images[index], colours.channel_colours(prepared.channels), colours.usual_ranges(prepared)
        )
        assert shown.shape == expected.shape == (20, 30, 3)
        assert np.abs(shown - expected).mean() < 12  # JPEG of noise
        assert re.search(rf"(label|\d,) {CLASSES[prepared.labels[index]]}\b", attributes["alt"])
    assert "Source: Doe <2026>." in "".join(text for _, text in page.all("p", class_="facts"))
    assert [text for attributes, text in page.all("li", class_="found")]  # class by brightness: a shortcut


def with_margins(method, decided, margin, **changes):
    """A record of `method`, and predictions of 6 images of classes 0, 0, 1, 1, 2, 2; margin: by image."""
    scores = np.zeros((6, 3), np.float32)
    scores[np.arange(6), decided] = margin
    arrays = {
        "test_scores": scores,
        "test_labels": np.array([0, 0, 1, 1, 2, 2]),
        "test_index": np.array([10, 11, 12, 13, 14, 15]),
    }
    others = [0] * 7  # images of classes that nobody names, so that a third of right ones is more than chance
    counts = {"train": [9, 9, 9, *others], "val": [2, 2, 2, *others], "test": [2, 2, 2, *others]}
    return make(method, facts={"classes": list("abcdefghij"), "counts": counts}, **changes), arrays


def test_the_gallery_shows_where_methods_disagree_fail_and_are_sure_of_errors(results):
    root = results(
        with_margins("svm-hog", [0, 1, 1, 2, 0, 0], [1, 1, 1, 1, 1, 3]),
        with_margins("resnet18", [0, 0, 2, 2, 1, 0], [1, 1, 5, 2, 1, 1]),
        with_margins("mlp", [0, 0, 1, 2, 1, 0], [1, 1, 1, 1, 1, 1]),
    )
    (gallery,) = report(load_results(root)).galleries
    # Right: SVM on 10, 12; net on 10, 11. So both on 10, the SVM alone on 12, the net alone on 11, neither on the rest.
    assert gallery.agreement == ((1, 1), (1, 3))
    shelves = {shelf.title: [cell.index for cell in shelf.cells] for shelf in gallery.shelves}
    assert shelves["resnet18 is right, svm-hog is not"] == [11]
    assert shelves["svm-hog is right, resnet18 is not"] == [12]
    # All three say c of 13 and a of 15; of 14 two say b. Of those with three the one on which resnet18 is surest first.
    assert shelves["All 3 methods fail"] == [13, 15, 14]
    failed = next(shelf for shelf in gallery.shelves if shelf.title == "All 3 methods fail")
    assert failed.cells[2].lines == ("b", "2 of 3")
    assert failed.cells[2].truth == "c"
    assert shelves["b taken for c"] == [12, 13]  # of resnet18, margins 5 and 2
    assert (shelves["c taken for a"], shelves["c taken for b"]) == ([15], [14])
    assert gallery.shown_images == {11, 12, 13, 14, 15}


def with_scores(method, scores, **changes):
    """A record of `method`, and scores (6, 3) of images labelled a; a and b; c; b; b and c; nothing."""
    arrays = {
        "test_scores": np.array(scores, np.float32),
        "test_labels": np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 1, 0], [0, 1, 1], [0, 0, 0]], bool),
        "test_index": np.arange(20, 26),
    }
    counts = {"train": [9] * 3, "val": [2] * 3, "test": [2, 3, 2]}
    facts = {"multilabel": True, "classes": ["a", "b", "c"], "counts": counts}
    scored = {"macro_f1": 0.9 if method == "resnet18" else 0.8, "exact_match": 0.3, "n": 6}
    metrics = {"val": scored, "test": scored}
    return make(method, dataset="atlas", facts=facts, metrics=metrics, **changes), arrays


# Above 0 a class is said. Right: one label found, or none said where there is none.
NET = [[2, -1, -1], [-1, -2, 3], [1, 0.5, -1], [-1, 1, 2], [-1, -2, -3], [-1, -1, -1]]  # right on 20, 23, 25
SVM = [[-1, 1, -1], [1, -1, 1], [3, -1, -2], [-1, -1.5, -1], [0.5, -1, -4], [1, -1, -1]]  # right on 21


def test_of_several_labels_each_cell_stands_in_its_gallery_with_what_was_said_of_it(results):
    (gallery,) = report(load_results(results(with_scores("svm-hog", SVM), with_scores("resnet18", NET)))).galleries
    assert gallery.agreement == ((0, 1), (3, 2))
    assert gallery.n == 6
    shelves = {shelf.title: [(cell.index, cell.truth, cell.lines) for cell in shelf.cells] for shelf in gallery.shelves}
    assert shelves == {
        # of svm-hog, the surest wrong class against the surest right one: 20 by 1 - -1, 25 by 1 - 0, 23 by -1 - -1.5
        "resnet18 is right, svm-hog is not": [(20, "a", ("b",)), (25, "none", ("a",)), (23, "b", ("none",))],
        "svm-hog is right, resnet18 is not": [(21, "a, b", ("c",))],
        # of resnet18, the best on val: 22 by 1 - -1, 24 by -1 - -2
        "All 2 methods fail": [(22, "c", ("a, b",)), (24, "b, c", ("none",))],
    }
    (failed,) = [shelf for shelf in gallery.shelves if shelf.title == "All 2 methods fail"]
    assert failed.note.endswith("unlike what was trained on: what resnet18 says of them, its surest errors first.")
    assert gallery.notes == (SEVERAL,)


def test_of_several_labels_a_class_is_said_above_its_own_threshold(results):
    low = {"chosen": {"thresholds": [0, -2.5, 0]}}  # so that b is said of 24, and of 21
    (gallery,) = report(
        load_results(results(with_scores("svm-hog", SVM), with_scores("resnet18", NET, **low)))
    ).galleries
    assert gallery.agreement == ((1, 0), (3, 2))  # right on 20, 21, 23, 24: of 25 b is said, and there is none
    shelves = {shelf.title: [(cell.index, cell.lines) for cell in shelf.cells] for shelf in gallery.shelves}
    # By b, 0.5 - -2.5 above its threshold, against c at -1; by b, -1 - -2.5 above its threshold, against nothing.
    assert shelves["All 2 methods fail"] == [(22, ("a, b",)), (25, ("b",))]


def test_pictures_of_several_labels_are_captioned_with_labels_and_with_what_was_said(results):
    content = report(load_results(results(with_scores("svm-hog", SVM), with_scores("resnet18", NET))))
    looks = {scope: Look(cells=dict.fromkeys(wanted, b"jpeg")) for scope, wanted in content.shown_images().items()}
    page = Page(render(content, looks))
    shelves = {
        attributes["aria-label"].partition(". Arrow keys")[0]: [
            line.strip() for line in text.split("\n") if line.strip()
        ]
        for attributes, text in page.all("div", class_="cells")
    }
    assert shelves["resnet18 is right, svm-hog is not"] == ["ab#20", "nonea#25", "bnone#23"]  # label, said, position
    assert shelves["svm-hog is right, resnet18 is not"] == ["a, bc#21"]
    assert shelves["All 2 methods fail"] == ["ca, b#22", "b, cnone#24"]
    assert [attributes["alt"] for attributes, _ in page.all("img")] == [
        "image 20, label a; b",
        "image 25, label none; a",
        "image 23, label b; none",
        "image 21, label a, b; c",
        "image 22, label c; a, b",
        "image 24, label b, c; none",
    ]
    assert not page.all("figure", class_="card confusion")


def drawn_from(html: str) -> dict[str, Any]:
    """What the page's script draws from."""
    return json.loads(html.split('<script type="application/json" id="charts">')[1].split("</script>")[0])


def test_the_page_holds_the_specification_of_each_figure_wide_and_narrow_and_data_once(usual):
    _, content = usual
    held = drawn_from(render(content, {scope: Look() for scope in content.shown_images()}))
    assert len(held["charts"]) == len(content.figures) > 0
    for figure, chart in zip(content.figures, held["charts"], strict=True):
        for name, width in (("wide", WIDTH), ("narrow", NARROW)):
            spec = panels(figure.chart, width)
            assert held["datasets"].items() >= json.loads(json.dumps(spec.pop("datasets"))).items()
            assert chart[name] == json.loads(json.dumps(spec))


def test_every_kind_of_figure_tells_the_figures_of_its_records(results, record, under_stress):
    under_stress(make("cnn"), rotation=[0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    history = epochs(3.0, 2.0, 1.0)
    scored = {part: {"macro_f1": 0.8, "exact_match": 0.5, "n": 80} for part in ("val", "test")}
    thresholds_of, *_ = several_labels(record, metrics=scored)
    root = results(
        *(make(method, seed=seed) for method in ("plain18", "resnet18", "plain34", "resnet34") for seed in (0, 1)),
        make("cnn", history=history, chosen={"epoch": 2}),
        judged("alexnet", 0.9, dataset="alone"),
        (make("cnn", dataset="sure"), predictions(TRUTH, TAKEN)),
        thresholds_of,
        *sizes(),
    )
    drawn: dict[str, list[str]] = {}
    for one in report(load_results(root)).figures:
        drawn.setdefault(one.kind.name, []).extend(" | ".join(filter(None, line)) for line in one.lines)
    assert set(drawn) == set(kinds())
    assert any(line.startswith("residual | 34 | test | 5.9 %") for line in drawn["depth"])  # 1 - 0.941
    assert any(line.startswith("plain | 18 | train | 1.6 %") for line in drawn["depth"])
    assert "cnn | 3 | 2 | 1.1 | 1 | 70.0 % | 60.0 % | 60.0 %" in drawn["history"]
    assert any(line.startswith("resnet18 | val | 94.9 %") for line in drawn["bars"])
    assert "svm-hog | torch, C=10: n^1.50 ± 0.000 | 10,000 | 20" in drawn["svm-time"]  # 2e-5 n^1.5
    assert "svm-hog | libsvm, C=10 | 2,500 | 625" in drawn["svm-time"]  # 1e-4 n²
    assert len(drawn["thresholds"]) == 19
    assert sum(" | alexnet | " in line for line in drawn["per-class"]) == len(CLASSES)
    assert any(" | 10,000 | 500 | 85.8 %" in line for line in drawn["learning-curve"])


def test_the_paragraph_tells_splits_seeds_hardware_and_cites_what_ran(usual):
    _, content = usual
    text = " ".join(content.paper.paragraphs)
    assert text.startswith("SVMs (svm-hog) and nets (")
    assert "official split, 6 classes: 8,701 for training, 2,175 for validation, 2,720 for testing" in text
    assert "Random seeds: 0, 1, 2;" in text
    assert "Example CPU, 2 threads" in text
    assert "Example GPU" in text
    assert "licence: see the source" in text
    keys = re.findall(r"^@\w+\{(\w+),", content.paper.bibtex, re.M)
    assert {"cellbench", "cortes1995support", "dalal2005histograms", "he2016deep", "simonyan2015very"} <= set(keys)
    assert not {"krizhevsky2012imagenet", "parnamaa2017accurate"} & set(keys)  # no alexnet, no deepyeast among them
    assert content.paper.bibtex.count("{") == content.paper.bibtex.count("}")


def test_failed_runs_and_simulated_images_are_named(page):
    html = page(
        make("cnn", dataset="synthetic-yeast", facts={"synthetic": True}),
        make("svm-hog", dataset="synthetic-yeast", facts={"synthetic": True}),
        make("vgg16", status="timeout", reason="stopped after 1,800 s"),
        make("cnn"),
    )
    found = Page(html)
    assert "timeout: stopped after 1,800 s" in [text.strip() for _, text in found.all("td", class_="remark")]
    assert "Simulated images: no verdict rests on them." in [text for _, text in found.all("p", class_="found")]
    assert html.index("synthetic-yeast (simulated), split") > html.index("hep2, split")  # real ones first


def test_every_claim_stands_with_its_verdict_evidence_and_command(usual):
    _, content = usual
    page = Page(render(content, {scope: Look() for scope in content.shown_images()}, results=Path("my results")))
    (section,) = [text for _, text in page.all("section", id="findings")]
    shown = [text for attributes, text in page.all("span", class_="badge")]
    tested = [one for one in content.findings if one.verdict != "not tested"]
    assert sorted(shown) == sorted(one.verdict for one in tested)
    assert {"supported", "contradicted"} <= set(shown)
    assert f"{len(content.findings) - len(tested)} claims of studies were not tested here" in section
    for one in tested:
        assert one.claim.sentence in section
        assert all(ruling.trial.said in section for ruling in one.rulings)
        assert all(f"{command} -o 'my results'" in section for command in one.commands)


def test_findings_rest_on_the_runs_that_where_chose_and_the_page_says_which(usual):
    given, _ = usual

    def places(*conditions):
        """Where each claim was judged, the sentence above them, and what `cellbench findings` would say."""
        content = report(given, conditions=conditions)
        page = Page(render(content, {scope: Look() for scope in content.shown_images()}))
        (section,) = [text for _, text in page.all("section", id="findings")]
        return {one.claim.id: {r.trial.dataset for r in one.rulings} for one in content.findings}, section

    judged_on, said = places()
    assert "judged by every run of the folder, those with limited data" in said
    assert (judged_on["svm-above-simple-cnn"], judged_on["vgg-above-simple-cnn"]) == ({"hep2", "wells"}, {"hep2"})
    judged_on, said = places("dataset=wells")
    assert "judged by the runs that --where chose (dataset=wells)" in said
    assert (judged_on["svm-above-simple-cnn"], judged_on["vgg-above-simple-cnn"]) == ({"wells"}, set())


def test_findings_of_chosen_runs_take_limited_ones_which_tables_leave_out(results):
    def sized(method, n, limit):
        return judged(method, 0.9, limit=limit, facts={"n": {"train": n, "val": 200, "test": 600}})

    sizes = ((1000, 1000), (4000, 4000), (8701, None))
    root = results(*(sized(method, *size) for method in ("cnn", "vgg11") for size in sizes))
    content = report(load_results(root), conditions=["dataset=hep2", "method=cnn"])
    assert [row["limit"] for board in content.boards for row in board.table.rows] == [None]
    (overfit,) = [one for one in content.findings if one.claim.id == "nets-overfit-small-data"]
    assert {row["n"] for ruling in overfit.rulings for row in ruling.trial.evidence} == {1000, 4000, 8701}
    assert {row["method"] for ruling in overfit.rulings for row in ruling.trial.evidence} == {"cnn"}


def test_what_was_found_in_the_images_stands_beside_the_answer(results):
    content = report(load_results(results(judged("svm-hog", 0.8, 1), judged("cnn", 0.9, 2))))
    (scope,) = content.shown_images()
    checks = [("found", "copies in test"), ("ok", "no empty class"), ("found", "brightness alone")]
    page = Page(render(content, {scope: Look(checks=checks)}))
    (answer,) = [text for _, text in page.all("section", id="answer")]
    assert "2 warnings about these images: leaks or shortcuts" in answer
    (link,) = [attributes["href"] for attributes, text in page.all("a") if text == "what was found"]
    assert [attributes for attributes, _ in page.all("article", id=link.removeprefix("#"))]
    clean = Page(render(content, {scope: Look(checks=checks[1:2])}))
    assert "warning" not in "".join(text for _, text in clean.all("section", id="answer"))


def test_the_strip_of_intervals_tells_its_scale(results):
    content = report(load_results(results(judged("svm-hog", 0.8, 1), judged("cnn", 0.9, 2))))
    (found,) = content.boards
    rows = found.table.rows
    low, high = min(row["test_accuracy_low"] for row in rows), max(row["test_accuracy_high"] for row in rows)
    page = Page(render(content, {scope: Look() for scope in content.shown_images()}))
    heads = [text for _, text in page.all("th", class_="plain strip")]
    assert heads == [f"95 % interval{100 * low:.1f} to {100 * high:.1f} %"]  # and no column of remarks without one
    labels = {attributes.get("aria-label") for attributes, _ in page.all("svg", role="img")}
    for row in rows:
        assert f"{100 * row['test_accuracy_low']:.1f} to {100 * row['test_accuracy_high']:.1f} %" in labels


def test_methods_and_splits_of_the_page_are_explained_and_no_others(results):
    words = dict(report(load_results(results(make("svm-hog"), make("resnet34"), make("plain18")))).words)
    assert words["svm-hog"].startswith("a support vector machine on histograms of oriented gradients")
    assert words["resnet34"].startswith("a residual net")
    assert "came with" in words["split official"]
    assert not {"cnn", "resnet*", "split id-block"} & set(words)


def test_the_paragraph_tells_only_of_choices_and_tests_that_were_made(results):
    text = " ".join(report(load_results(results(make("cnn")))).paper.paragraphs)
    assert "(the epoch of a net) was chosen on the validation images" in text
    assert "support vector" not in text
    assert "Holm" not in text


def test_a_page_of_nothing_but_disturbed_times_has_no_pareto_front_and_says_why(results):
    crowd = [make("svm-hog", overrides={"C": c}, others=0.5, shift=-c / 1000) for c in range(1, 36)]
    content = report(load_results(results(*crowd)), runs="all")
    (chart,) = [one.chart for one in content.figures if one.kind.name == "time"]
    (steps,) = layers(chart, "line")
    assert steps.data == []
    assert len(layers(chart, "point")[-1].data) == 35
    assert {opacity for (opacity,) in layers(chart, "point")[-1].values("opacity")} == {PALE}
    assert len(texts(chart)) == MOST_NAMES  # without a front the most accurate are named
    assert any("Other programs had 50 %" in note for note in chart.notes)


def test_each_contest_has_its_answer_though_two_machines_have_the_same_device(results):
    for machine in ("a", "b"):
        root = results(
            make("svm-hog"), make("resnet18"), make("cnn", facts={"undertrained": "3 steps"}), machine=machine
        )
    content = report(load_results(root))
    page = Page(render(content, {scope: Look() for scope in content.shown_images()}))
    assert len(page.all("article", **{"class": "verdict"})) == 2
    texts = [text for _, text in page.all("p", class_="sentence")]
    assert [machine for machine in "ab" for text in texts if f"on the cpu of {machine}." in text] == ["a", "b"]
