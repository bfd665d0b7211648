"""The benchmark of growth runs on a network of a few units, and computes what it says from what it measured."""

import json
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
import torch

sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))
from growth import cli, plot
from growth.dimensions import DIMENSIONS, QUICK
from growth.measure import Point, Sample, growth, in_turn
from growth.text import NEWS, Language, even, natural, word_lengths

from polytag.corpus import read


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that a quick run of all dimensions has written."""
    directory = tmp_path_factory.mktemp("growth") / "docs"
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    assert cli.main(["--quick", "--out", str(directory)]) == 0
    torch.set_num_threads(threads)
    torch.random.set_rng_state(state)
    return directory


def test_every_size_of_every_dimension_is_measured(out: Path) -> None:
    written = json.loads((out / "growth.json").read_text())
    assert set(written["results"]) == set(DIMENSIONS)
    for name, series in written["results"].items():
        for of, results in series.items():
            sizes = QUICK.files["tiny"] if name == "files" else QUICK.sizes[name]
            assert [result["size"] for result in results] == list(sizes), (name, of)
            assert all(0 < r["lowest"] <= r["tokens_per_second"] <= r["highest"] for r in results)
            assert [r["cost_relative_to_before"] is None for r in results] == [True] + [False] * (len(sizes) - 1)


def test_tagging_is_measured_in_float32_and_training_beside_it(out: Path) -> None:
    results = json.loads((out / "growth.json").read_text())["results"]
    for name in ("length", "tags", "vocabulary"):
        assert {"tagging, float32", "training"} <= set(results[name])
    distinct = [result["figures"]["distinct_words"] for result in results["vocabulary"]["tagging, float32"]]
    assert distinct[0] < distinct[1]


def test_files_are_tagged_whole(out: Path) -> None:
    small, large = json.loads((out / "growth.json").read_text())["results"]["files"]["tiny network"]
    assert 1.9 < large["figures"]["tokens"] / small["figures"]["tokens"] < 2.1
    assert 0 < small["figures"]["start"] < small["figures"]["seconds"]
    assert 50 < small["figures"].get("peak_mb", 100) < 5_000  # nobody knows it off Linux


def test_the_page_has_a_table_and_a_computed_sentence_for_each_dimension(out: Path) -> None:
    page, written = (out / "growth.md").read_text(), json.loads((out / "growth.json").read_text())
    sections = page.split("\n## ")[1:]
    assert [section.split("\n")[0] for section in sections] == [d.title for d in DIMENSIONS.values()]
    for section, growths in zip(sections, written["growth"].values(), strict=True):
        tables = [line for line in section.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in tables}) == 1
        assert all(f"{of['cost']['exponent']:.2f}" in section for of in growths.values())
    assert "python benchmarks/growth --quick" in page
    assert all(about in page for about in ("torch", written["about"]["files"]["machine"]))
    assert str(out) not in page


def test_a_dimension_measured_alone_leaves_the_others_as_they_were(out: Path, tmp_path: Path) -> None:
    written = json.loads((out / "growth.json").read_text())
    (tmp_path / "growth.json").write_text((out / "growth.json").read_text())
    points = [{**point, "size": 10 * point["size"]} for point in written["results"]["tags"]["training"]]
    cli.write(tmp_path, {**written["about"]["tags"], "command": "again"}, {"tags": {"training": points}})
    merged = json.loads((tmp_path / "growth.json").read_text())
    assert merged["results"] == {**written["results"], "tags": {"training": points}}
    assert list(merged["results"]) == list(DIMENSIONS)
    page = (tmp_path / "growth.md").read_text()
    assert f"{DIMENSIONS['tags'].title}: made by `again`" in page
    assert f"{DIMENSIONS['length'].title}, {DIMENSIONS['batch'].title}" in page


def test_the_picture_is_the_same_bytes_each_time(out: Path, tmp_path: Path) -> None:
    results = json.loads((out / "growth.json").read_text())["results"]
    plot.draw(tmp_path / "again.svg", results)
    assert (tmp_path / "again.svg").read_bytes() == (out / "growth.svg").read_bytes()


def test_without_matplotlib_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setattr(cli, "measure", lambda *_: pytest.fail("measured all the same"))
    with pytest.raises(SystemExit, match=r"pip install 'polytag\[experiments\]'"):
        cli.main(["--quick", "--out", str(tmp_path)])


def test_points_are_measured_in_turn_and_compared_within_a_round() -> None:
    visited: list[float] = []

    def point(size: float, rounds: int | None = None) -> Point:
        def measure() -> Sample:
            visited.append(size)
            return Sample(10, size * (1 + len(visited)))  # the machine is slower each time

        return Point("s", size, measure, rounds)

    results = in_turn([point(1), point(4, rounds=1), point(2)], rounds=2, tell=lambda _: None)["s"]
    assert visited == [1, 4, 2, 1, 2]
    assert [result["size"] for result in results] == [1, 2, 4]
    assert results[1]["rounds"] == [10 / (2 * 4), 10 / (2 * 6)]
    assert results[1]["cost_relative_to_before"] == pytest.approx((2 * 4 / 2 + 2 * 6 / 5) / 2)
    assert results[2]["cost_relative_to_before"] == pytest.approx(4 * 3 / (2 * 4))


@pytest.mark.parametrize("exponent", [-1.0, 0.0, 0.5, 2.0])
def test_the_exponent_of_a_power_is_found(exponent: float) -> None:
    sizes = [1.0, 3.0, 10.0, 200.0]
    found = growth(sizes, [7 * size**exponent for size in sizes])
    assert found["exponent"] == pytest.approx(exponent, abs=1e-9)
    assert found["steepest"] == pytest.approx(exponent, abs=1e-9)
    assert found["factor"] == pytest.approx(200**exponent)


def test_the_steepest_step_is_named() -> None:
    found = growth([1, 10, 100, 1000], [1, 1, 100, 50])
    assert (found["steepest_from"], found["steepest_to"]) == (10, 100)
    assert found["steepest"] == pytest.approx(2)


def test_words_are_distinct_as_long_as_real_ones_and_follow_zipfs_law() -> None:
    lengths = word_lengths(NEWS)
    language = Language.invent(5_000, lengths)
    assert len(set(language.words)) == 5_000
    assert all(a <= len(word) for word, a in zip(language.words, lengths, strict=False))
    assert language == Language.invent(5_000, lengths)
    counts = Counter(language.draw(100_000))
    expected = [100_000 / rank / sum(1 / r for r in range(1, 5_001)) for rank in (1, 2, 10, 50)]
    assert [counts[language.words[rank - 1]] for rank in (1, 2, 10, 50)] == pytest.approx(expected, rel=0.2)


def test_sentences_hold_all_words_in_order() -> None:
    words = Language.invent(100, [3]).draw(1_003)
    for sentences in (natural(words), even(words, 50)):
        assert [word for sentence in sentences for word in sentence] == words
    assert {len(sentence) for sentence in even(words, 50)} == {50, 3}
    assert all(a == b for a, b in pairwise(map(len, even(words, 50)[:-1])))


def test_a_written_file_has_its_size_and_its_words(tmp_path: Path) -> None:
    path = tmp_path / "text.conll"
    words = Language.invent(1_000, [4]).write(path, size=20_000)
    assert 20_000 <= path.stat().st_size < 21_000
    assert sum(len(sentence.words) for sentence in read(path)) == words
