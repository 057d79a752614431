"""Lists of utterances."""
