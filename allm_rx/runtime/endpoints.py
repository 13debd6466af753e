"""The compatible services, as data."""

ENDPOINTS = {}
