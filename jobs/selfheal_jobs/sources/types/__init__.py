"""One module for each of `SOURCE_TYPES`, with its `SOURCE`."""
