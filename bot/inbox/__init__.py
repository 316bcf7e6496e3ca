"""The inbox: every act of a person is claimed durably, acknowledged, then answered exactly once. Doors import from here."""

from bot.inbox.inbox import Inbox
from bot.inbox.work import Accepted, NotSent, Received, Sender, Work

__all__ = ["Accepted", "Inbox", "NotSent", "Received", "Sender", "Work"]
