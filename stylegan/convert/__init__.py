"""Readers of official and third-party weight files. Nothing in them is ever run."""
