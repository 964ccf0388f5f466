"""Arrays come back as written, or the file is called damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeseek import arrays


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "a.arrays"
    arrays.save(
        path, {"numbers": np.arange(1000), "matrix": np.ones((3, 4), np.float32), "empty": np.zeros((0, 7), np.uint64)}
    )
    return path


def test_arrays_come_back_as_written(saved: Path) -> None:
    loaded = arrays.load(saved)
    assert loaded["numbers"].tolist() == list(range(1000))
    assert loaded["matrix"].dtype == np.float32
    assert loaded["matrix"].shape == (3, 4)
    assert loaded["empty"].shape == (0, 7)
    arrays.verify(saved)


def test_the_file_is_private(saved: Path) -> None:
    assert saved.stat().st_mode & 0o777 == 0o600


def test_loaded_arrays_cannot_be_changed(saved: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        arrays.load(saved)["numbers"][0] = 1


def test_a_failed_write_leaves_the_old_file(saved: Path, tmp_path: Path) -> None:
    with pytest.raises((TypeError, ValueError)):
        arrays.save(saved, {"bad": np.array([object()], dtype=object)})
    assert arrays.load(saved)["numbers"][999] == 999
    assert [path.name for path in tmp_path.iterdir()] == ["a.arrays"]


@given(length=st.integers(0, 8500))
def test_a_truncated_file_is_called_damaged(tmp_path_factory: pytest.TempPathFactory, length: int) -> None:
    path = tmp_path_factory.mktemp("truncated") / "a.arrays"
    arrays.save(path, {"numbers": np.arange(1000)})
    whole = path.read_bytes()
    path.write_bytes(whole[: min(length, len(whole) - 1)])
    with pytest.raises(arrays.Damaged):
        arrays.load(path)


@given(position=st.floats(0, 0.999), flip=st.integers(1, 255))
def test_a_changed_byte_is_found(tmp_path_factory: pytest.TempPathFactory, position: float, flip: int) -> None:
    path = tmp_path_factory.mktemp("flipped") / "a.arrays"
    arrays.save(path, {"numbers": np.arange(1024, dtype=np.int64)})
    data = bytearray(path.read_bytes())
    start = len(data) - 8192  # the array; what pads it carries no meaning
    data[start + int(position * 8192)] ^= flip
    path.write_bytes(data)
    with pytest.raises(arrays.Damaged):
        arrays.verify(path)
