"""One file a corpus: from its layout to a manifest."""
