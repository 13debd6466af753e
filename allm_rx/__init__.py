"""LLM calls as reactive streams: one engine, any provider, and the answer is a cold Observable of typed events."""

__all__: list[str] = []
