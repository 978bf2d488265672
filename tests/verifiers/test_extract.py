import pytest

from onedial.verifiers.extract import code, json


@pytest.mark.parametrize(("said", "read"), [
    ('{"b": 1, "a": [true, null]}', '{"a":[true,null],"b":1}'),
    ('Sure: {"a": 1} and then {"b": {"c": 2}}.', '{"b":{"c":2}}'),
    ('```json\n{"a": 1}\n```\nThe list [2] is other.', '{"a":1}'),
    ("A set {x} is not JSON, [1, 2] is.", "[1,2]"),
    ("4", "4"),
    ('{"a": 1', None),
    ('{"a": 1, "a": 2}', None),
    ("nothing", None),
    ("", None),
    ("[" * 5000, None),
])  # fmt: skip
def test_json_is_read_wherever_it_stands_and_in_one_spelling(said, read):
    assert json(said) == read


@pytest.mark.parametrize(("said", "read"), [
    ("```py\nx = 1  \n\n```", "x = 1"),
    ("first ```\nx\n``` no:\n```python\ny = 2\nz = 3\n```", "y = 2\nz = 3"),
    ("def f():\n    return 1\n", "def f():\n    return 1"),
    ("I do not know.", None),
    ("", None),
])  # fmt: skip
def test_code_is_what_stands_in_the_last_fence_or_the_whole_text_if_it_is_python(said, read):
    assert code(said) == read
