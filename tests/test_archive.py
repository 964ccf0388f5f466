"""Vectors that are dear to make survive whatever ends the process that makes them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codeseek import archive as archives
from codeseek.archive import Archive, ArchiveWriter
from codeseek.arrays import Damaged

DIMENSIONS = 12


def rows(*numbers: int) -> NDArray[np.float16]:
    return np.array([[number / 7 + at for at in range(DIMENSIONS)] for number in numbers], np.float16).reshape(
        -1, DIMENSIONS
    )


def writer_of(folder: Path, fingerprint: str = "model-1") -> ArchiveWriter:
    return ArchiveWriter(folder, "model", fingerprint, DIMENSIONS, 4)


def filled(folder: Path, *keys: int) -> Archive:
    writer_of(folder).append(keys, rows(*keys))
    return Archive.open(folder)


def files(folder: Path, suffix: str) -> list[Path]:
    return sorted(folder.glob(f"*{suffix}"))


def test_rows_come_back_by_their_keys(tmp_path: Path) -> None:
    writer = writer_of(tmp_path)
    writer.append([5, 2**64 - 1], rows(5, 6))
    writer.append([1], rows(1))
    archive = Archive.open(tmp_path)
    assert len(archive) == 3
    assert archive.rows_of(np.array([1, 2, 5, 2**64 - 1], np.uint64)).tolist() == [2, -1, 0, 1]
    assert np.array_equal(archive.matrix, rows(5, 6, 1))
    assert archive.header[:4] == ("model", "model-1", DIMENSIONS, 4)
    assert archive.sound().all()


def test_an_empty_archive_knows_nothing(tmp_path: Path) -> None:
    writer_of(tmp_path)
    archive = Archive.open(tmp_path)
    assert len(archive) == 0
    assert archive.rows_of(np.array([1], np.uint64)).tolist() == [-1]
    assert archive.sound().tolist() == []


def test_who_opened_it_sees_what_was_there_then(tmp_path: Path) -> None:
    before = filled(tmp_path, 1, 2)
    state = archives.state_of(tmp_path)
    writer_of(tmp_path).append([3], rows(3))
    assert len(before) == 2
    assert len(Archive.open(tmp_path)) == 3
    assert archives.state_of(tmp_path) != state


def test_what_a_killed_writer_left_half_done_is_cut_off_by_the_next(tmp_path: Path) -> None:
    filled(tmp_path, 1, 2)
    with files(tmp_path, ".vectors")[0].open("ab") as file:
        file.write(b"x" * (3 * DIMENSIONS))  # a vector and a half, and no key yet
    assert len(Archive.open(tmp_path)) == 2
    writer_of(tmp_path).append([3], rows(3))
    archive = Archive.open(tmp_path)
    assert np.array_equal(archive.matrix, rows(1, 2, 3))
    assert archive.sound().all()


@given(st.integers(0, 200), st.integers(0, 200))
@settings(deadline=None)
def test_files_cut_anywhere_lose_the_last_rows_alone(
    tmp_path_factory: pytest.TempPathFactory, vectors_cut: int, keys_cut: int
) -> None:
    folder = tmp_path_factory.mktemp("archive")
    filled(folder, *range(5))
    for suffix, cut in ((".vectors", vectors_cut), (".keys", keys_cut)):
        path = files(folder, suffix)[0]
        os.truncate(path, max(0, path.stat().st_size - cut))
    archive = Archive.open(folder)
    assert np.array_equal(archive.matrix, rows(*range(len(archive))))
    assert archive.sound().all()
    writer_of(folder).append([9], rows(9))
    again = Archive.open(folder)
    assert again.keys.tolist() == [*range(len(archive)), 9]
    assert again.sound().all()


def test_a_flipped_bit_is_found_in_its_row(tmp_path: Path) -> None:
    filled(tmp_path, 1, 2, 3)
    path = files(tmp_path, ".vectors")[0]
    data = bytearray(path.read_bytes())
    data[2 * DIMENSIONS + 3] ^= 4
    path.write_bytes(data)
    assert Archive.open(tmp_path).sound().tolist() == [True, False, True]


def test_rows_that_are_not_wanted_go_and_readers_keep_theirs(tmp_path: Path) -> None:
    before = filled(tmp_path, 1, 2, 3)
    writer = writer_of(tmp_path)
    writer.keep(np.array([True, False, True]))
    writer.append([4], rows(4))
    assert np.array_equal(before.matrix, rows(1, 2, 3))
    archive = Archive.open(tmp_path)
    assert archive.keys.tolist() == [1, 3, 4]
    assert np.array_equal(archive.matrix, rows(1, 3, 4))
    assert archive.header.birth != before.header.birth
    assert len(files(tmp_path, ".vectors")) == len(files(tmp_path, ".keys")) == 1


def test_a_folder_of_something_else_is_damaged_and_begun_anew(tmp_path: Path) -> None:
    (tmp_path / archives.HEADER).write_text('{"format": 99}')
    with pytest.raises(Damaged):
        Archive.open(tmp_path)
    assert len(filled(tmp_path, 1)) == 1
    (tmp_path / archives.HEADER).write_bytes(b"\xff{")
    with pytest.raises(Damaged):
        Archive.open(tmp_path)


def test_another_models_rows_are_never_mixed_in(tmp_path: Path) -> None:
    filled(tmp_path, 1)
    other = ArchiveWriter(tmp_path, "model", "model-2", DIMENSIONS, DIMENSIONS)
    other.append([2], rows(2))
    assert Archive.open(tmp_path).keys.tolist() == [2]


def test_what_it_holds_is_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        folder = tmp_path / "tiers" / "model"
        writer = writer_of(folder)
        writer.append([1], rows(1))
        writer.keep(np.array([True]))
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_removing_takes_what_is_ours_alone(tmp_path: Path) -> None:
    folder = archives.folder_of(tmp_path, "model/1")
    filled(folder, 1)
    (folder / "notes").write_text("mine")
    archives.remove(folder)
    assert [path.name for path in folder.iterdir()] == ["notes"]
    assert [*archives.found_in(tmp_path)] == []
