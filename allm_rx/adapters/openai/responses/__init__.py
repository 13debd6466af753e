"""The Responses API, as OpenAI and all compatible servers speak it."""
