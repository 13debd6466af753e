"""Layer C: the calls. Stateless; the engine is an argument, and every call is one composed stream."""
