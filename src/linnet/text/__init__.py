"""Normalizers, vocabularies and tokenizers."""
