from __future__ import annotations

import os
import sqlite3
import stat
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeseek import store as stores
from codeseek.database import Unusable
from codeseek.errors import BusyError, StoreError
from codeseek.lock import WriteLock
from codeseek.records import Chunk, Definition, Skipped
from codeseek.rows import CHUNK_COLUMNS, FORMAT, FileRow, decode_chunk, encode_chunks, encode_path, host
from codeseek.store import DATABASE, LOCK, Store

ROOT = Path("/projects/example")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "data" / "indexes" / "example-0123"


@pytest.fixture
def store(directory: Path) -> Iterator[Store]:
    with Store.open(directory, ROOT) as store:
        yield store


def chunk(path: str, first: int, last: int, text: str, kind: str = "function", symbol: str = "f") -> Chunk:
    return Chunk(PurePosixPath(path), first, last, "python", kind, symbol, text)


def add(store: Store, path: str, chunks: Sequence[Chunk], segment: str = "s1") -> list[int]:
    first = store.next_chunk()
    rows = encode_chunks(chunks, [bytes([number]) * 16 for number in range(len(chunks))])
    with store.writing():
        store.add_files([FileRow(encode_path(path), 10, 20, 30, "python", b"digest", len(rows))], rows, first, segment)
        if segment not in store.segments():
            store.add_segment(segment, len(rows))
        store.next_generation()
    return list(range(first, first + len(rows)))


def test_what_an_index_holds_is_for_its_owner_alone(directory: Path) -> None:
    before = os.umask(0)
    try:
        with Store.open(directory, ROOT) as store:
            add(store, "a.py", [chunk("a.py", 1, 1, "x")])
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.rglob("*")}
    finally:
        os.umask(before)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert modes == {
        "words": 0o700,
        "vectors": 0o700,
        DATABASE: 0o600,
        f"{DATABASE}-wal": 0o600,
        f"{DATABASE}-shm": 0o600,
    }


def test_chunks_come_back_as_they_were(store: Store) -> None:
    code = Chunk(
        PurePosixPath("包/a.py"),
        3,
        9,
        "python",
        "class",
        "Store",
        "class Store:\r\n    # 说明\n    pass\x00\n",
        ("module", "outer"),
        (Definition("Store", "class", 3, 2, 9, ("module", "outer")), Definition("open", "method", 5)),
        ((13, 17),),
    )
    comment = Chunk(PurePosixPath("包/a.py"), 4, 4, "python", "comment", "", "    # 说明\n")
    elsewhere = Chunk(PurePosixPath("包/a.py"), 2, 9, "python", "comment", "", "lies over no single chunk")
    ids = add(store, "包/a.py", [code, comment, elsewhere])
    assert list(store.chunks(ids).values()) == [code, comment, elsewhere]
    assert store.chunks([ids[1]]) == {ids[1]: comment}


def test_the_text_of_a_comment_is_stored_once(store: Store) -> None:
    tile = chunk("a.py", 1, 3, "def f():\n    '''Explain.'''\n    return 1\n")
    rows = encode_chunks([tile, chunk("a.py", 2, 2, "    '''Explain.'''\n", "comment")], [b"", b""])
    assert [row[5] for row in rows] == [tile.text, None]


@given(
    st.lists(
        st.builds(
            Chunk,
            path=st.just(PurePosixPath("a.py")),
            first_line=st.integers(1, 9),
            last_line=st.integers(9, 20),
            language=st.sampled_from(["python", "go"]),
            kind=st.sampled_from(["function", "comment", "section"]),
            symbol=st.text(st.characters(codec="utf-8"), max_size=4),
            text=st.text(st.characters(codec="utf-8"), max_size=9),
            breadcrumb=st.tuples(st.text(st.characters(codec="utf-8"), max_size=3)),
            comments=st.just(((0, 1), (2, 3))),
        ),
        max_size=6,
    )
)
def test_any_chunks_survive_the_way_to_rows_and_back(chunks: list[Chunk]) -> None:
    chunks.sort(key=lambda item: item.first_line)
    rows = [
        (number, encode_path("a.py"), *row[:-1])
        for number, row in enumerate(encode_chunks(chunks, [b""] * len(chunks)))
    ]
    assert len(CHUNK_COLUMNS.split(",")) == (len(rows[0]) if rows else 9)
    texts = {row[0]: row[7] for row in rows}
    found = []
    for row in rows:
        at = host(row)
        found.append(decode_chunk(row, None if at is None else texts[at]))
    assert found == chunks


def test_a_place_in_a_file_is_its_narrowest_definition_rather_than_a_comment(store: Store) -> None:
    outer, inner, comment = add(
        store,
        "a.py",
        [
            chunk("a.py", 1, 20, "outer", "class"),
            chunk("a.py", 5, 9, "inner", "method"),
            chunk("a.py", 6, 7, "comment", "comment"),
        ],
    )
    assert store.chunk_at(PurePosixPath("a.py"), 6) == inner
    assert store.chunk_at(PurePosixPath("a.py"), 1) == outer
    assert store.chunk_at(PurePosixPath("a.py"), 21) is None
    assert store.chunk_at(PurePosixPath("b.py"), 1) is None
    assert comment not in (outer, inner)


def test_a_replaced_file_leaves_dead_chunks_whose_numbers_are_never_used_again(store: Store) -> None:
    old = add(store, "a.py", [chunk("a.py", 1, 1, "old"), chunk("a.py", 2, 2, "older")])
    new = add(store, "a.py", [chunk("a.py", 1, 1, "new")], "s2")
    with store.writing():
        store.remove_files([encode_path("a.py")])
        store.remove_segments(["s1", "s2"])
    last = add(store, "b.py", [chunk("b.py", 1, 1, "b")], "s3")
    assert old[-1] < new[0] < last[0]


def test_a_snapshot_names_live_segments_and_what_is_dead_in_them(store: Store) -> None:
    old = add(store, "a.py", [chunk("a.py", 1, 1, "old")])
    kept = add(store, "b.py", [chunk("b.py", 1, 1, "b")], "s2")
    new = add(store, "a.py", [chunk("a.py", 1, 1, "new")], "s3")
    snapshot = store.snapshot()
    assert snapshot.segments == ("s1", "s2", "s3")
    assert snapshot.dead.tolist() == old
    assert snapshot.generation == 3
    assert set(store.chunks([*old, *kept, *new])) == {*kept, *new}


def test_a_merged_segment_takes_its_parts_place_and_their_dead_are_forgotten(store: Store) -> None:
    add(store, "a.py", [chunk("a.py", 1, 1, "old")])
    add(store, "b.py", [chunk("b.py", 1, 1, "b")], "s2")
    add(store, "a.py", [chunk("a.py", 1, 1, "new")], "s3")
    add(store, "c.py", [chunk("c.py", 1, 1, "c")], "s4")
    with store.writing():
        store.add_segment("s5", 2, instead_of=["s2", "s3"])
    assert store.segments() == {"s1": 1, "s5": 2, "s4": 1}
    assert store.dead_in_segments() == {"s1": 1}
    assert [[c.text for _, c in chunks] for _, chunks in store.segment_files("s5")] == [["b"], ["new"]]


def test_an_error_in_the_middle_of_writing_leaves_everything_as_it_was(store: Store) -> None:
    add(store, "a.py", [chunk("a.py", 1, 1, "a")])

    def interrupted() -> None:
        with store.writing():
            store.remove_files([encode_path("a.py")])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert set(store.known_files()) == {"a.py"}
    assert store.snapshot().dead.tolist() == []


def test_a_reader_sees_one_moment_while_a_writer_writes(store: Store, directory: Path) -> None:
    add(store, "a.py", [chunk("a.py", 1, 1, "a")])
    with Store.open(directory, ROOT, read_only=True) as reader, store.writing():
        store.remove_files([encode_path("a.py")])
        assert reader.counts().files == 1
        assert reader.snapshot().generation == 1


def test_a_reader_cannot_write(store: Store, directory: Path) -> None:
    with Store.open(directory, ROOT, read_only=True) as reader, pytest.raises(StoreError) as raised, reader.writing():
        reader.set_meta(generation=9)
    assert raised.value.hint


def test_file_names_that_are_not_utf8_come_back_as_they_were(store: Store) -> None:
    name = os.fsdecode(b"\xd6\xd0\xce\xc4.py")
    ids = add(store, name, [chunk(name, 1, 1, "x")])
    assert str(store.chunks(ids)[ids[0]].path) == name
    assert set(store.known_files()) == {name}


def test_what_is_left_out_is_counted_by_reason(store: Store) -> None:
    binary = Skipped(PurePosixPath("a.bin"), "binary", 5, 6)
    with store.writing():
        store.replace_skipped([binary, Skipped(PurePosixPath("big.py"), "too large")])
        store.reject_file(Skipped(PurePosixPath("odd.py"), "binary", 7, 8), 9, "python")
    assert store.counts().skipped == {"binary": 2, "too large": 1}
    assert store.skipped_by_walker()["a.bin"] == binary
    assert store.known_files()["odd.py"].reason == "binary"
    with store.writing():
        store.replace_skipped([])
    assert store.counts().skipped == {"binary": 1}


def test_skipped_files_outside_the_folder_in_question_stay_recorded(store: Store) -> None:
    with store.writing():
        store.replace_skipped([Skipped(PurePosixPath(path), "binary") for path in ("a/x", "a/y", "ab/z")])
        store.replace_skipped([Skipped(PurePosixPath("a/x"), "too large")], PurePosixPath("a"))
    assert {path: item.reason for path, item in store.skipped_by_walker().items()} == {
        "a/x": "too large",
        "ab/z": "binary",
    }


def test_vectors_are_found_by_model_and_key(store: Store) -> None:
    vector = np.arange(4, dtype="<f2").tobytes()
    with store.writing():
        number = store.model_number("m-1", "m", 4)
        store.add_vectors(number, [(b"k1", vector), (b"k2", vector[::-1])])
        store.add_vectors(number, [(b"k1", b"another")])
        assert store.model_number("m-1", "m", 4) == number
    assert store.vectors("m-1", [b"k1", b"k3"]) == {b"k1": vector}
    assert store.vectors("m-2", [b"k1"]) == {}


def test_unused_vectors_are_kept_up_to_as_many_as_are_used(store: Store) -> None:
    add(store, "a.py", [chunk("a.py", number, number, str(number)) for number in range(1, 3)])
    with store.writing():
        number = store.model_number("m", "m", 1)
        store.add_vectors(number, [(bytes([at]) * 16, b"..") for at in range(2)])
        store.add_vectors(number, [(b"unused %5d" % at, b"..") for at in range(1000)])
        assert store.forget_unused_vectors() == 0
        store.add_vectors(number, [(b"unused %5d" % at, b"..") for at in range(1000, 2000)])
        assert store.forget_unused_vectors() > 0
    assert set(store.vectors("m", [b"\0" * 16, b"\1" * 16])) == {b"\0" * 16, b"\1" * 16}
    assert not store.vectors("m", [b"unused     0"])
    assert store.vectors("m", [b"unused  1999"])


def test_there_is_no_index_where_none_was_made(directory: Path) -> None:
    with pytest.raises(StoreError, match="no index") as raised:
        Store.open(directory, ROOT, read_only=True)
    assert raised.value.hint
    assert not directory.exists()


def test_an_index_of_a_newer_format_is_refused_and_left_alone(directory: Path) -> None:
    Store.open(directory, ROOT).close()
    with sqlite3.connect(directory / DATABASE) as connection:
        connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    connection.close()
    before = (directory / DATABASE).read_bytes()
    for read_only in (True, False):
        with pytest.raises(StoreError, match="newer") as raised:
            Store.open(directory, ROOT, read_only=read_only)
        assert raised.value.hint
        assert not isinstance(raised.value, Unusable)
    assert (directory / DATABASE).read_bytes() == before


@pytest.mark.parametrize("read_only", [True, False])
def test_what_is_no_database_is_unusable(directory: Path, read_only: bool) -> None:
    directory.mkdir(parents=True)
    (directory / DATABASE).write_bytes(b"this is no database, but it is long enough to be one\n" * 50)
    with pytest.raises(Unusable):
        Store.open(directory, ROOT, read_only=read_only)


def test_a_database_of_something_else_is_unusable(directory: Path) -> None:
    directory.mkdir(parents=True)
    connection = sqlite3.connect(directory / DATABASE)
    connection.execute("CREATE TABLE other(x)")
    connection.close()
    with pytest.raises(Unusable):
        Store.open(directory, ROOT, read_only=True)


def test_only_one_process_has_the_lock_and_its_number_is_told(tmp_path: Path) -> None:
    with WriteLock(tmp_path / LOCK) as first:
        assert first.held
        with pytest.raises(BusyError, match=str(os.getpid())) as raised, WriteLock(tmp_path / LOCK):
            pass
        assert raised.value.hint
    with WriteLock(tmp_path / LOCK) as second:
        assert second.held
    assert not second.held


def test_a_patient_writer_waits_for_the_one_before_it(tmp_path: Path) -> None:
    first = WriteLock(tmp_path / LOCK)
    first.__enter__()
    threading.Timer(0.2, first.__exit__, (None, None, None)).start()
    with WriteLock(tmp_path / LOCK, patience_s=60) as second:
        assert second.held
        assert not first.held


def test_the_list_of_indexes_names_each_and_what_is_wrong_with_it(tmp_path: Path) -> None:
    good, bad = tmp_path / "indexes" / "good-1", tmp_path / "indexes" / "bad-2"
    with Store.open(good, ROOT) as store:
        add(store, "a.py", [chunk("a.py", 1, 1, "x")])
    bad.mkdir()
    (bad / DATABASE).write_bytes(b"nonsense" * 1000)
    first, second = stores.catalogue(tmp_path)
    assert (first.root, first.location, first.files, first.chunks, first.problem) == (ROOT, good, 1, 1, "")
    assert first.size_bytes > 0
    assert first.indexed_at is not None
    assert (second.location, bool(second.problem)) == (bad, True)
    assert stores.catalogue(tmp_path / "nowhere") == []


def test_removing_an_index_removes_nothing_that_is_not_its_own(directory: Path) -> None:
    Store.open(directory, ROOT).close()
    (directory / "words" / "s1.words").write_bytes(b"")
    (directory / "vectors" / "m").mkdir()
    (directory / "vectors" / "m" / "s1.vec").write_bytes(b"")
    (directory / "notes.txt").write_text("mine")
    stores.remove(directory)
    assert [path.name for path in directory.iterdir()] == ["notes.txt"]
    (directory / "notes.txt").unlink()
    stores.remove(directory)
    assert not directory.exists()
    stores.remove(directory)


def test_an_index_that_is_being_written_is_not_removed(directory: Path) -> None:
    Store.open(directory, ROOT).close()
    with WriteLock(directory / LOCK), pytest.raises(BusyError):
        stores.remove(directory)
    assert (directory / DATABASE).exists()
