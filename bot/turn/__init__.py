"""The walk of a message: screen, route, answer, inspect, record. Every door calls ``Turn.take`` and renders what comes back."""

from bot.turn.stages import Inspect, Screen, Screened, Skill
from bot.turn.turn import Turn, Walked

__all__ = ["Inspect", "Screen", "Screened", "Skill", "Turn", "Walked"]
