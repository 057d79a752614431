"""Transcripts as the files that other programs read: each module one kind, words and times in, text out."""
