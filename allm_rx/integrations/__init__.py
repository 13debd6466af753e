"""Doors to other worlds: what a stream of events is to a web server, a browser, or somebody else's protocol.

Rule 1: each door is a module that is imported by its own name, so nobody pays for those not used.
Rule 2: a door translates; it makes no requests, and keeps no state beyond its stream.
"""
