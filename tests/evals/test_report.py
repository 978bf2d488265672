import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.text import Text

from onedial.evals.report.document import html, write_report
from onedial.evals.report.figure import picture
from onedial.evals.report.findings import (
    ArmPoint,
    ExchangeRow,
    Findings,
    Line,
    MatchedRow,
    Point,
    PromiseRow,
    Reliability,
    ReliabilityBin,
    Shares,
)
from onedial.evals.report.labels import spread
from onedial.evals.report.rows import blocks
from onedial.evals.report.style import TONES

HOSTILE = '<b onload="x">&\'"</b>'
VOID = {"meta", "br", "img", "link"}


class Reader(HTMLParser):
    """Collects tags, attributes and text, and insists that every tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.attributes, self.tags, self.text = [], [], set(), []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def full(findings):
    """The findings of a demo with every part filled in."""
    rows = (
        ExchangeRow("small", "middle", "level 1", 2.5, 0.4, 0.9, 0.8),
        ExchangeRow("small", "middle", "level 6", None, None, 0.1, 0.4),
    )
    return replace(findings, exchange=rows)


@pytest.fixture(scope="module")
def crowded():
    """Four models, 96 fixed arms, long names, five targets, costs of millionths."""
    rng = np.random.default_rng(0)
    spending = ("direct", "vote=4", "vote=8", "vote=16", "best=4", "best=8")
    names = [f"{m}/think={e}/{s}" for m in ("tiny", "small", "medium", "large") for e in range(4) for s in spending]
    cost = np.geomspace(2e-6, 2e-3, 96) * rng.uniform(0.7, 1.4, 96)
    quality = np.clip(0.2 + 0.75 * np.linspace(0, 1, 96) ** 0.5 - rng.uniform(0, 0.25, 96), 0, 1)
    arms = tuple(ArmPoint(n, n.split("/")[0], float(c), float(q)) for n, c, q in zip(names, cost, quality, strict=True))
    dial = np.linspace(0, 1, 12)

    def line(name, lift):
        ends = zip(2e-6 * 900**dial, np.clip(0.25 + 0.7 * dial**0.5 + lift, 0, 1), strict=True)
        return Line(name, tuple(Point(float(c), float(q), quality_low=float(q) - 0.02, quality_high=float(q) + 0.02) for c, q in ends))

    policies = {"joint": 0.02, "model-only": 0.0, "compute-only": 0.01, "hindsight": 0.05}
    matched = tuple(
        MatchedRow(t, t, p, 1e-4, v, v - 0.1, v + 0.1, 1.0, 0.9, 1.1)
        for t in (0.95, 0.93, 0.91, 0.85, 0.8)
        for p, v in {"best fixed": 1.0, "joint": 0.5, "model-only": 0.7, "compute-only": 0.9, "hull": 0.95, "hindsight": 0.2}.items()
    )
    promises = tuple(
        PromiseRow(f"{k} points below the best fixed arm", 0.95 - k / 100, 0.95 - k / 100, 0.9, 0.97, 1e-4, verdict, verdict == "kept")
        for k, verdict in enumerate(("kept", "within noise", "missed"))
    )
    groups = ("easiest", *map(str, range(2, 12)), "hardest")
    mixed = tuple(tuple(float(x) for x in rng.dirichlet(np.ones(4))) for _ in groups)
    options = (("tiny", "small", "medium", "large"), ("none", "1 step", "2 steps", "4 steps"), ("1", "4", "8", "16"), ("a", "b", "c", "d"))
    shares = tuple(Shares(t, o, groups, mixed) for t, o in zip(("model", "thinking", "samples", "strategy"), options, strict=True))
    bins = Reliability(tuple(ReliabilityBin(x, x, 50) for x in (0.05, 0.5, 0.9, 1.0)), 0.01, 0.1)
    lines = tuple(line(name, lift) for name, lift in policies.items())
    return Findings("Four embedded models", 500, 500, arms, lines, matched, promises, shares, bins)


def test_the_page_loads_nothing_and_runs_nothing(full):
    page = html(full)
    read = Reader(page)
    assert not read.tags & {"script", "link", "img", "iframe", "object", "embed"}
    assert not re.findall(r"@import|url\((?!#)", page)
    assert all(v.startswith("#") for k, v in read.attributes if k in ("src", "href", "xlink:href"))
    assert not any(k.startswith("on") for k, _ in read.attributes)


def test_every_id_is_there_once_and_every_reference_is_to_one(full):
    page = html(full)
    ids = [v for k, v in Reader(page).attributes if k == "id"]
    used = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', page))
    assert len(ids) == len(set(ids))
    assert {a or b for a, b in used} <= set(ids)


def test_every_panel_is_well_formed_and_takes_its_colours_from_the_page(full, crowded):
    for shown in (full, crowded):
        panels = re.findall(r"<svg.*?</svg>", html(shown), re.DOTALL)
        assert len(panels) == 4 + len(shown.shares)
        for panel in panels:
            ElementTree.fromstring(panel)
            assert re.findall(r"#[0-9a-fA-F]{6}\b", panel) == []
            assert set(re.findall(r"var\(--([a-z0-9-]+)\)", panel)) <= {"type", *(tone.name for tone in TONES.values())}


def test_the_page_says_everything_that_was_found(full):
    text = " ".join(Reader(html(full)).text)
    wanted = [full.title, full.subtitle, "480 queries", "320 others", "no amount", "2.5 ×", f"ECE {full.reliability.ece:.3f}"]
    wanted += [a.arm for a in full.arms] + [p.certificate for p in full.promises] + list(full.notes) + [s.title for s in full.shares]
    assert [w for w in wanted if w not in text] == []


def test_a_quality_that_is_never_reached_is_said_to_be_so_and_not_given_a_cost(full):
    row = replace(full.matched[1], cost=None, over_fixed=None, over_fixed_low=None, over_fixed_high=None, unreached=1.0)
    page = html(Findings("", 1, 1, matched=(full.matched[0], row)))
    assert "not reached" in page
    assert "None" not in page and "nan" not in page.replace("tabular-nums", "")


def test_text_from_outside_is_shown_and_never_markup():
    found = Findings(
        HOSTILE,
        1,
        1,
        arms=(ArmPoint(HOSTILE, HOSTILE, 1.0, 0.5), ArmPoint("b", "b", 2.0, 0.6)),
        lines=(Line("joint", (Point(1.0, 0.5), Point(2.0, 0.6))),),
        matched=(MatchedRow(0.5, 0.5, "best fixed", 1.0, 1.0, None, None, None, None, None),),
        promises=(PromiseRow(HOSTILE, 0.5, 0.5, 0.4, 0.6, 1.0, "kept", True, HOSTILE),),
        shares=(Shares(HOSTILE, (HOSTILE, "c"), (HOSTILE,), ((0.4, 0.6),)),),
        exchange=(ExchangeRow(HOSTILE, HOSTILE, HOSTILE, 1.0, 1.0, 0.5, 0.5),),
        notes=(HOSTILE,),
        headline=HOSTILE,
    )
    read = Reader(html(found))
    assert "b" not in read.tags
    assert sum(HOSTILE in text for text in read.text) >= 12


def test_findings_with_nothing_in_them_still_make_a_page_and_a_picture(tmp_path):
    files = write_report(Findings("nothing yet", 0, 0), tmp_path)
    assert "nothing yet" in files.html.read_text() and "<svg" not in files.html.read_text()


def test_a_report_is_three_whole_files_from_which_it_can_be_written_again(full, tmp_path):
    files = write_report(full, tmp_path / "new" / "folder")
    assert sorted(p.name for p in files.html.parent.iterdir()) == ["findings.json", "report.html", "report.png"]
    assert files.png.read_bytes().startswith(b"\x89PNG")
    assert html(Findings.from_json(files.json.read_text())) == files.html.read_text()


def test_no_two_words_of_the_picture_overlap_and_none_leaves_it(full, crowded):
    for shown in (full, crowded):
        figure = picture(shown)
        figure.canvas.draw()
        page = figure.bbox
        boxes = [(t.get_text(), t.get_window_extent()) for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
        boxes = [(text, box) for text, box in boxes if _drawn(text, box, figure)]
        outside = [text for text, box in boxes if box.x0 < 0 or box.y0 < 0 or box.x1 > page.x1 or box.y1 > page.y1]
        touching = [(a, b) for (a, p), (b, q) in combinations(boxes, 2) if p.padded(-0.5).overlaps(q.padded(-0.5))]
        assert (outside, touching) == ([], [])


def _drawn(text, box, figure):
    """Whether a text is drawn at all: tick labels beyond the ends of an axis are kept but not shown."""
    for ax in figure.axes:
        for axis, low, high in ((ax.xaxis, ax.bbox.x0, ax.bbox.x1), (ax.yaxis, ax.bbox.y0, ax.bbox.y1)):
            for tick in axis.get_major_ticks():
                if tick.label1.get_text() == text and tick.label1.get_window_extent().bounds == box.bounds:
                    middle = (box.x0 + box.x1) / 2 if axis is ax.xaxis else (box.y0 + box.y1) / 2
                    return low - 1 <= middle <= high + 1
    return True


def test_targets_at_which_the_same_level_is_matched_are_shown_once(full):
    row = full.matched[0]
    assert len(blocks([row, replace(row, target=row.target - 0.01), replace(row, target=0.1, level=0.1)])) == 2


def test_names_are_moved_apart_and_stay_below_the_top():
    moved = spread([0.99, 1.0, 0.2], 0.1, top=1.0)
    assert moved == pytest.approx([0.9, 1.0, 0.2])
