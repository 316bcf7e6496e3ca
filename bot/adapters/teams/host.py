"""botbuilder's turn on our own server: an activity goes in, an invoke's answer comes out, nothing else is sent from inside.

The library's own host answers every ``adaptiveCard/action`` with HTTP 500 (4.17.1 serialises a body that is serialised already),
so bodies pass through here as they are. Sending is :mod:`bot.adapters.teams.send`'s.
"""

from __future__ import annotations

from typing import Any

from botbuilder.core import Bot, BotAdapter, TurnContext
from botbuilder.schema import Activity, ActivityTypes, ConversationReference, InvokeResponse, ResourceResponse


class Unreadable(ValueError):
    """The body is not an activity."""


def read(body: dict[str, Any]) -> Activity:
    """The activity a body holds. Raises Unreadable."""
    try:
        activity = Activity().deserialize(body)
    except Exception:  # the library raises whatever the odd place raised
        raise Unreadable from None
    if not activity.type or activity.conversation is None or not activity.conversation.id or activity.recipient is None:
        raise Unreadable
    return activity


class Host(BotAdapter):  # type: ignore[misc]
    """Runs a bot over one activity."""

    async def process(self, activity: Activity, bot: Bot) -> InvokeResponse | None:
        """One turn. Returns the answer of an invoke, None for every other activity."""
        context = TurnContext(self, activity)
        await self.run_pipeline(context, bot.on_turn)
        answer = context.turn_state.get(BotAdapter._INVOKE_RESPONSE_KEY)
        return answer.value if answer is not None else None

    async def send_activities(self, context: TurnContext, activities: list[Activity]) -> list[ResourceResponse]:
        """Keeps an invoke's answer for the one who waits for it."""
        for activity in activities:
            if activity.type != ActivityTypes.invoke_response:
                raise NotImplementedError("messages are sent by the sender, after they were claimed")
            context.turn_state[BotAdapter._INVOKE_RESPONSE_KEY] = activity
        return [ResourceResponse() for _ in activities]

    async def update_activity(self, context: TurnContext, activity: Activity) -> None:
        """Not from inside a turn."""
        raise NotImplementedError

    async def delete_activity(self, context: TurnContext, reference: ConversationReference) -> None:
        """Not from inside a turn."""
        raise NotImplementedError
