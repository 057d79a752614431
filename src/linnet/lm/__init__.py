"""N-gram language models: estimation, ARPA files, the packed file, scoring."""
