"""The Chat Completions API, as OpenAI and all compatible servers speak it."""
