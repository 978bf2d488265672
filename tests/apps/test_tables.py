import pyarrow.parquet as pq

from apps.conftest import onedial, read


def test_what_is_exported_can_be_imported_elsewhere_once(fitted, tmp_path):
    written = read("export", tmp_path / "table", data=fitted)
    first = read("import", tmp_path / "table", data=tmp_path / "b")["taken"]
    again = read("import", tmp_path / "table" / "outcomes.parquet", data=tmp_path / "b")["taken"]
    assert (written["queries"], written["outcomes"]) == (first["new_queries"], first["new_outcomes"]) == (60, 480)
    assert (again["new_queries"], again["new_outcomes"]) == (0, 0)
    read("export", tmp_path / "table2", data=tmp_path / "b")
    for name in ("queries.parquet", "outcomes.parquet"):
        assert pq.read_table(tmp_path / "table" / name) == pq.read_table(tmp_path / "table2" / name)


def test_models_that_are_not_configured_are_named(fitted, tmp_path, config):
    read("export", tmp_path / "table", data=fitted)
    result = onedial("--config", config(), "import", tmp_path / "table", data=tmp_path / "b")
    assert result.exit_code == 0 and "left out when fitting: tiny" in result.stderr


def test_a_folder_without_a_table_is_an_error(tmp_path):
    result = onedial("import", tmp_path / "nothing", data=tmp_path / "b")
    assert result.exit_code == 2 and "expected a directory that holds queries.parquet" in result.stderr
    assert not (tmp_path / "b").exists()
