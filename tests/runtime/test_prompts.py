import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onedial.core.errors import QueryError, TableError
from onedial.core.query import Query
from onedial.runtime.prompts import read_prompts, write_prompts

TEXT = st.text(st.characters(codec="utf-8"), min_size=1)
FIELDS = {"system": TEXT, "reference": st.none() | TEXT, "dataset": TEXT}


def write(path, *lines):
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), encoding="utf-8")
    return path


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries({"id": TEXT, "prompt": TEXT.filter(str.strip)}, optional=FIELDS), min_size=1, unique_by=lambda r: r["id"]
    )
)
def test_what_is_written_is_read_in_order(tmp_path_factory, records):
    path = write(tmp_path_factory.mktemp("p") / "prompts.jsonl", *records)
    assert read_prompts(path) == [Query(**record) for record in records]


def test_without_an_id_the_id_follows_from_the_prompt_and_blank_lines_are_skipped(tmp_path):
    path = write(tmp_path / "p.jsonl", {"prompt": "2+2?"}, "", {"id": None, "prompt": "3+3?", "reference": "6"}, "")
    assert read_prompts(path) == [Query.of("2+2?"), Query.of("3+3?", reference="6")]


@pytest.mark.parametrize(("line", "told"), [
    ("{not json", "not JSON"),
    (b"\xff\xfe{}".decode("latin-1"), "not JSON"),
    ([1], "expected an object"),
    ({"id": "x"}, "there is no 'prompt'"),
    ({"prompt": None}, "'prompt' is None"),
    ({"prompt": "a", "reference": 4}, "'reference' is 4; expected text in quotes"),
    ({"prompt": "a", "refrence": "4"}, "Did you mean 'reference'"),
    ({"prompt": "  "}, "empty prompt"),
    ({"id": "1", "prompt": "again"}, "id '1' stands in line 1 already"),
])  # fmt: skip
def test_every_error_names_the_file_and_the_line(tmp_path, line, told):
    path = write(tmp_path / "p.jsonl", {"id": "1", "prompt": "first"}, "", line)
    with pytest.raises(TableError) as error:
        read_prompts(path)
    assert str(error.value).startswith(f"{path}, line 3: ") and told in str(error.value)


@pytest.mark.parametrize("name", ["absent.jsonl", "."])
def test_a_file_that_cannot_be_read_is_an_error(tmp_path, name):
    with pytest.raises(TableError, match="cannot be read"):
        read_prompts(tmp_path / name)


def test_a_file_without_prompts_is_an_error(tmp_path):
    with pytest.raises(TableError, match="holds no prompt"):
        read_prompts(write(tmp_path / "p.jsonl", "", " "))


def test_a_query_without_text_is_no_prompt(tmp_path):
    with pytest.raises(QueryError, match="has no text"):
        write_prompts(tmp_path / "p.jsonl", [Query("a", "hi"), Query.without_text("b")])
    assert list(tmp_path.iterdir()) == []
