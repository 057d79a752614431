"""Zipformer (arXiv:2310.11230): stacks of blocks at several frame rates."""
