"""Plain-words restatements under the quotes: asked of a chat model, checked by rule sentence by sentence, or not shown."""

from bot.assistant.restating.asking import Restated, Restater
from bot.assistant.restating.faithfulness import Verdict, faithful

__all__ = ["Restated", "Restater", "Verdict", "faithful"]
