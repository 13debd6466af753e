"""The generateContent API: one method per model, answers in chunks that are whole answers each."""
