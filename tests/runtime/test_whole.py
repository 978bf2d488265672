import pytest

from onedial.runtime.whole import whole_file


def test_a_file_takes_its_place_only_when_it_is_whole(tmp_path):
    path = tmp_path / "table.json"
    path.write_text("old")
    with whole_file(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "table.json"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="interrupted"), whole_file(path) as partial:
        partial.write_text("ne")
        raise RuntimeError("interrupted")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
