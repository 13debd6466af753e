"""Layer B, its ends: engine, registry, keys, schedulers; never serialized."""
