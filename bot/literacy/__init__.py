"""Two-minute lessons on AI, in conversation. The lessons themselves are data in ``prompts/lessons/``."""
