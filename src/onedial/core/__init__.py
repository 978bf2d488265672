"""The nouns and their arithmetic. Imports nothing of onedial outside this room."""
