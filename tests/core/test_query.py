from dataclasses import replace

import pytest

from onedial.core.errors import QueryError
from onedial.core.query import Query


def test_a_query_without_text_is_made_on_purpose_only():
    query = Query.without_text("a", "4", "sums")
    assert (query.prompt, query.reference, query.dataset, query.textless, query.messages) == ("", "4", "sums", True, ())
    assert replace(query, id="b") == Query.without_text("b", "4", "sums")
    with pytest.raises(QueryError, match="empty prompt"):
        Query("a", " ")


@pytest.mark.parametrize("text", [{"prompt": "hi"}, {"system": "be brief"}])
def test_a_query_that_has_text_is_not_without(text):
    with pytest.raises(QueryError, match="without text, and has some"):
        Query(**({"id": "a", "prompt": "", "textless": True} | text))
