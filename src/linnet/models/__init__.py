"""Acoustic models in torch."""
