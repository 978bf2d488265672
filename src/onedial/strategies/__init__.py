"""Ways to spend compute on one query: generators that ask, one published method per file. Pure."""
