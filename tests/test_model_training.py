"""The pipeline that makes the bundled model: each step does what it is for, and the whole runs on little data."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import shutil
import subprocess
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import bags
import contrast
import functions
import localisations
import minilm_gguf
import minilm_reference
import pipeline
import rotation
import terms
import training
import words
from codeseek import catalogue
from codeseek.embedders.static import StaticEmbedder
from codeseek.errors import ModelError
from corpus import Folder

VERBS = dict(
    pair.split(":")
    for pair in (
        "open:打开 close:关闭 delete:删除 create:创建 read:读取 write:写入 parse:解析 encrypt:加密 compress:压缩 restart:重启"
        " monitor:监控 validate:校验"
    ).split()
)
NOUNS = dict(
    pair.split(":")
    for pair in (
        "file:文件 thread:线程 queue:队列 socket:套接字 database:数据库 certificate:证书 cache:缓存 process:进程 request:请求"
        " template:模板 cluster:集群 index:索引"
    ).split()
)
EFFORT = pipeline.Effort((training.Run(1, 40, 64), training.Run(2, 30, 64)), 20)
PLACES = {
    "on the server": "在服务器上",
    "for the client": "为客户端",
    "during startup": "在启动期间",
    "by default": "默认",
}


class FakeTeacher:
    """Gives every word a direction of its own, and a text the sum of its words'."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = [sum((self._of(word) for word in text.lower().split()), np.zeros(384)) for text in texts]
        return np.array(rows, np.float32)

    @staticmethod
    def _of(word: str) -> NDArray[np.float64]:
        return np.random.default_rng(zlib.crc32(word.encode())).standard_normal(384)


def write(folder: Path, name: str, lines: Sequence[dict[str, str]]) -> None:
    with gzip.open(folder / name, "wt", encoding="utf-8") as stream:
        stream.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    pairs = [
        {
            "en": f"{verb} the {noun} {place}",
            "zh": f"{chinese_place}{VERBS[verb]}{NOUNS[noun]}",
            "src": f"owner/{number % 7}",
        }
        for number, (verb, noun, (place, chinese_place)) in enumerate(itertools.product(VERBS, NOUNS, PLACES.items()))
    ]
    held = [{"en": "restart the queue", "zh": "重启队列", "src": "antvis/G6#doc"}]
    code = [
        {"nl": f"{verb} the {noun}", "words": f"{verb}:3 {noun}:5 path return", "src": f"owner/{number % 5}"}
        for number, (verb, noun) in enumerate(itertools.product(VERBS, NOUNS))
    ]
    bodies = [
        {
            "question": VERBS[verb] + NOUNS[noun],
            "path": f"src/{noun}.py",
            "names": f"{verb}_{noun}",
            "text": f"def {verb}_{noun}(path):\n    return {noun}.{verb}(path)\n",
            "src": f"owner/{number % 3}" if number else "alibaba/arthas",
        }
        for number, (verb, noun) in enumerate(itertools.product(VERBS, NOUNS))
    ]
    write(folder, "functions.zh.jsonl.gz", bodies)
    write(folder, "zh_en.jsonl.gz", pairs + held)
    write(folder, "nl_words.jsonl.gz", code)
    return folder


@pytest.fixture(scope="module")
def made(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    pipeline.make(Folder(data), folder / "work", FakeTeacher, folder / "model", EFFORT)
    return folder


def test_a_model_made_from_little_data_translates_what_it_was_not_shown(made: Path) -> None:
    model = StaticEmbedder.load(made / "model")
    assert (model.dimensions, model.name) == (256, "bundled")
    english = [f"{verb} {noun}" for verb in VERBS for noun in NOUNS]
    chinese = [VERBS[verb] + NOUNS[noun] for verb in VERBS for noun in NOUNS]
    nearest = (model.embed_texts(english) @ model.embed_texts(chinese).T).argmax(axis=1)
    assert np.mean(nearest == np.arange(len(english))) > 0.9


def test_its_term_table_has_the_translations(made: Path) -> None:
    table = dict(line.split("\t", 1) for line in (made / "model" / "terms.tsv").read_text("utf-8").splitlines())
    for english, chinese in {**VERBS, **NOUNS}.items():
        best = table[chinese].split("\t")[1].partition(":")[0]
        assert best == english


def test_a_model_says_what_it_was_made_from(made: Path, data: Path) -> None:
    about = json.loads((made / "model" / "bundle.json").read_text("utf-8"))
    assert about["fingerprint"] == StaticEmbedder.load(made / "model").fingerprint
    assert about["data"]["zh_en.jsonl.gz"] == hashlib.sha256((data / "zh_en.jsonl.gz").read_bytes()).hexdigest()
    for name, digest in about["files"].items():
        assert hashlib.sha256((made / "model" / name).read_bytes()).hexdigest() == digest


def test_the_same_data_make_the_same_model(made: Path, data: Path, tmp_path: Path) -> None:
    pipeline.make(Folder(data), tmp_path / "work", FakeTeacher, tmp_path / "model", EFFORT)
    for name in ("table.npy", "vocabulary.txt", "terms.tsv"):
        assert (tmp_path / "model" / name).read_bytes() == (made / "model" / name).read_bytes()


def test_what_is_held_out_is_not_learned_from(data: Path) -> None:
    assert [pair.chinese for pair in Folder(data).pairs(held_out=True)] == ["重启队列"]
    assert all(pair.source != "antvis/G6" for pair in Folder(data).pairs())


def test_functions_that_are_held_out_are_not_learned_from(data: Path) -> None:
    assert len(list(Folder(data).functions())) == len(VERBS) * len(NOUNS) - 1


def test_other_functions_change_the_rotation_alone(made: Path, data: Path, tmp_path: Path) -> None:
    for path in data.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "functions.zh.jsonl.gz").unlink()
    before = {path.name for path in (made / "work").glob("*.pickle")}
    shutil.copytree(made / "work", tmp_path / "work")
    pipeline.make(Folder(tmp_path), tmp_path / "work", FakeTeacher, tmp_path / "model", EFFORT)
    (new,) = {path.name for path in (tmp_path / "work").glob("*.pickle")} - before
    assert new.startswith("rotation.")


def test_a_folder_without_data_is_refused_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no zh_en.*\n.*README"):
        Folder(tmp_path).files()


def test_a_step_is_done_again_only_when_it_or_one_before_it_changed(tmp_path: Path) -> None:
    done: list[str] = []

    def run(first: int, second: int) -> list[str]:
        done.clear()
        steps = pipeline.Steps(tmp_path, "data")
        steps.run("first", first, lambda: done.append("first"))
        steps.run("second", second, lambda: done.append("second"))
        return list(done)

    assert run(1, 1) == ["first", "second"]
    assert run(1, 1) == []
    assert run(1, 2) == ["second"]
    assert run(2, 2) == ["first", "second"]


def test_a_step_that_was_interrupted_leaves_nothing_that_is_taken_for_done(tmp_path: Path) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pipeline.Steps(tmp_path, "data").run("first", 1, interrupted)
    assert pipeline.Steps(tmp_path, "data").run("first", 1, lambda: "made") == "made"


def test_the_gradients_are_those_of_the_loss() -> None:
    generator = np.random.default_rng(3)
    questions, answers = (generator.standard_normal((5, 256)).astype(np.float32) for _ in range(2))
    found = contrast.contrast(questions, answers, 1.0)

    def total(asked: NDArray[np.float32], answer: NDArray[np.float32], log_scale: float = 1.0) -> float:
        value = 0.0
        for size, weight in contrast.DIMENSIONS:
            first, second = (
                rows[:, :size] / np.linalg.norm(rows[:, :size], axis=1, keepdims=True) for rows in (asked, answer)
            )
            logits = np.exp(log_scale) * first.astype(np.float64) @ second.T.astype(np.float64)
            for each in (logits, logits.T):
                value += weight / 2 * float(np.mean(np.log(np.exp(each).sum(axis=1)) - np.diagonal(each)))
        return value

    step = 1e-2
    for row, column in ((0, 0), (3, 70), (4, 200)):
        moved = np.zeros_like(questions)
        moved[row, column] = step
        slope = (total(questions + moved, answers) - total(questions - moved, answers)) / (2 * step)
        assert found.questions[row, column] == pytest.approx(slope, rel=0.02, abs=1e-5)
        slope = (total(questions, answers + moved) - total(questions, answers - moved)) / (2 * step)
        assert found.answers[row, column] == pytest.approx(slope, rel=0.02, abs=1e-5)
    slope = (total(questions, answers, 1 + step) - total(questions, answers, 1 - step)) / (2 * step)
    assert found.log_scale == pytest.approx(slope, rel=0.02)


def random_matches(seed: int, rows: int = 1000) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return unit vectors whose last dimensions say most of what they are, and answers that are near to them."""
    generator = np.random.default_rng(seed)
    told = np.linspace(0, 1, 256, dtype=np.float32) ** 2
    questions = generator.standard_normal((rows, 256)).astype(np.float32)
    answers = questions * told + generator.standard_normal((rows, 256)).astype(np.float32) * np.float32(0.5)
    return bags.unit(questions), bags.unit(answers)


def test_after_the_rotation_the_first_dimensions_find_more_and_all_of_them_the_same() -> None:
    questions, answers = random_matches(1)
    matched = rotation.Matched(lambda rows: (questions[rows], answers[rows]), [np.arange(len(questions))], 256)
    turned = rotation.learn([matched], 256, seed=1, steps=60)
    assert np.allclose(turned @ turned.T, np.eye(256), atol=1e-5)
    assert np.allclose((questions @ turned) @ (answers @ turned).T, questions @ answers.T, atol=1e-5)
    asked, found = random_matches(2, rows=200)

    def right(asked: NDArray[np.float32], found: NDArray[np.float32]) -> float:
        nearest = (bags.unit(asked[:, :64]) @ bags.unit(found[:, :64]).T).argmax(axis=1)
        return float(np.mean(nearest == np.arange(len(asked))))

    assert right(asked @ turned, found @ turned) > right(asked, found) + 0.2


def test_the_gradient_of_a_rotation_is_that_of_its_loss() -> None:
    questions, answers = random_matches(3, rows=6)
    found = rotation.gradient(questions, answers, np.eye(256, dtype=np.float32))

    def softmax(logits: NDArray[Any]) -> NDArray[Any]:
        exponents = np.exp(logits)
        of_rows: NDArray[Any] = exponents / exponents.sum(axis=1, keepdims=True)
        return of_rows

    def loss(turned: NDArray[np.float64]) -> float:
        value = 0.0
        for size, weight in rotation.PREFIXES:
            first, second = (rows @ turned[:, :size] for rows in (questions, answers))
            first, second = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (first, second))
            for asked, answer, whole in (
                (first, second, questions @ answers.T),
                (second, first, answers @ questions.T),
            ):
                wanted = (1 - rotation.OWN) * softmax(rotation.SCALE * whole) + rotation.OWN * np.eye(len(whole))
                said = softmax(rotation.SCALE * asked @ answer.T)
                value -= weight / 2 * float(np.mean((wanted * np.log(said)).sum(axis=1)))
        return value

    step = 1e-3
    for row, column in ((0, 0), (200, 70), (31, 100)):
        moved = np.zeros((256, 256))
        moved[row, column] = step
        slope = (loss(np.eye(256) + moved) - loss(np.eye(256) - moved)) / (2 * step)
        assert found[row, column] == pytest.approx(slope, rel=0.02, abs=1e-5)


def test_words_are_found_in_running_text_and_parts_of_words_are_not() -> None:
    generator = np.random.default_rng(1)
    lexicon = [*VERBS.values(), *NOUNS.values(), "连接", "序列化", "命名空间", "失效", "正则", "编译器", "指针"]
    runs = words.runs_of("".join(generator.choice(lexicon, 6)) for _ in range(2000))
    found = words.mine(runs, seed=1)
    assert set(lexicon) <= set(found)
    assert not {"据库", "序列", "名空", "命名空"} & set(found)


def test_terms_are_aligned_through_all_segments() -> None:
    segments = [(f"{verb} the {noun}", VERBS[verb] + NOUNS[noun]) for verb in VERBS for noun in NOUNS] * 2
    dictionary = dict.fromkeys((*VERBS.values(), *NOUNS.values()), 100)
    rows = {row.word: row for row in terms.table(segments, dictionary)}
    assert rows["线程"].translations[0][0] == "thread"
    assert rows["线程"].translations[0][1] > 0.9
    assert rows["线程"].times == 2 * len(VERBS)


def test_localisation_files_are_read_in_their_formats(tmp_path: Path) -> None:
    files = {
        "Strings.zh-Hant.xlf": (
            '<xliff xmlns="urn:x"><file><trans-unit id="a"><source>Build failed</source><target>建置失敗</target></trans-unit>'
            "</file></xliff>"
        ),
        "locale/zh_TW/app.po": 'msgid "Open file"\nmsgstr "開啟"\n"檔案"\n\n#, fuzzy\nmsgid "Old"\nmsgstr "舊的"\n',
        "Messages.properties": "quit=Quit now\nonly.here=x\n",
        "Messages_zh_TW.properties": "quit=\\u7acb\\u5373\\u7d50\\u675f\n",
        "en-US/a.resjson": '{"k": "Run the task", "n": {"deep": "x"}}',
        "zh-TW/a.resjson": '{"k": "執行工作", "n": {"deep": "y"}}',
        "en-US/b.resw": '<root><data name="t"><value>Save all</value></data></root>',
        "zh-TW/b.resw": '<root><data name="t"><value>全部儲存</value></data></root>',
        "broken/zh-TW/c.xlf": "<xliff><file>",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    assert set(localisations.pairs(tmp_path)) == {
        ("Build failed", "建置失敗"),
        ("Open file", "開啟檔案"),
        ("Quit now", "立即結束"),
        ("Run the task", "執行工作"),
        ("Save all", "全部儲存"),
    }


def test_a_documented_function_is_asked_for_by_its_comment_and_has_none(tmp_path: Path) -> None:
    (tmp_path / "cache.py").write_text(
        "def expire(entries, now):\n"
        '    """清理已经过期的缓存条目。\n\n    参数 now 是当前时间。\n    """\n'
        "    # 逐个检查\n"
        "    return [entry for entry in entries if entry.deadline > now]\n",
        "utf-8",
    )
    (found,) = functions.documented(tmp_path)
    assert found.question == "清理已经过期的缓存条目"
    assert "缓存" not in found.chunk.text
    assert "逐个" not in found.chunk.text
    assert "entry.deadline" in found.chunk.text


def test_documented_functions_are_written_as_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "repositories" / "owner+name").mkdir(parents=True)
    (tmp_path / "repositories" / "owner+name" / "cache.py").write_text(
        'def expire(entries):\n    """清理过期的缓存条目。"""\n    return [entry for entry in entries if not entry.old]\n',
        "utf-8",
    )
    target = tmp_path / "functions.zh.jsonl.gz"
    monkeypatch.setattr(sys, "argv", ["functions.py", str(tmp_path / "repositories"), str(target)])
    functions.main()
    (found,) = Folder(tmp_path).functions()
    assert found[:3] == ("清理过期的缓存条目", "cache.py", "expire")
    assert "缓存" not in found.text
    assert "entry.old" in found.text
    assert found.source == "owner/name"


def test_a_model_of_another_format_is_refused(made: Path, tmp_path: Path) -> None:
    for path in (made / "model").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "bundle.json").write_text('{"format": 99}', "utf-8")
    with pytest.raises(ModelError, match="format 99"):
        StaticEmbedder.load(tmp_path)


def test_the_bundled_model_is_what_its_bundle_says() -> None:
    folder = catalogue.model_directory("bundled")
    about = json.loads((folder / "bundle.json").read_text("utf-8"))
    assert about["fingerprint"] == StaticEmbedder.bundled().fingerprint
    for name, digest in about["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 16_000_000


def test_the_whole_pipeline_runs_with_the_real_teacher(data: Path, tmp_path: Path) -> None:
    model = minilm_reference.folder()
    if model is None:
        pytest.skip("the weights of MiniLM are not here: `poe weights` fetches them")
    minilm_gguf.write(model, tmp_path / "minilm.gguf")
    command = [
        sys.executable,
        Path(pipeline.__file__).parent,
        "make",
        data,
        tmp_path / "work",
        "--smoke",
        "--every",
        "1",
    ]
    command += ["--teacher", tmp_path / "minilm.gguf", "--into", tmp_path / "model"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert StaticEmbedder.load(tmp_path / "model").dimensions == 256
