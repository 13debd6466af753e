"""Folds of events: what a stream adds up to."""
