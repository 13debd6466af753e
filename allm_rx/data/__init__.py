"""Layer A: plain immutable data with an exact JSON round trip; no callables, sockets, keys or paths."""
