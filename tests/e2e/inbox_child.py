"""A process with an inbox, for the kill tests: takes in a list of acts, answers them into a file, dies where it is told to.

Arguments: folder, stage to die at ("" for none), which visit of the stage. What it posts is one line a message, flushed to the
file at once, as a chat platform would keep it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from bot.inbox import Inbox, Received, Work
from bot.knowledge.library import utc_now
from bot.messages import Answered, Message, Person
from bot.store import open_database
from bot.store.conversations import ended
from tests.conftest import settings_for
from tests.doubles.inbox import Thinker, Walked

folder, stage, visit = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
chat = folder / "chat.txt"
visits = 0


def reach(name: str) -> None:
    """Die here, at once and without a word, if this is the stage and the visit."""
    global visits
    if name == stage:
        visits += 1
        if visits == visit:
            os.kill(os.getpid(), signal.SIGKILL)


def posted() -> list[str]:
    return chat.read_text(encoding="utf-8").splitlines() if chat.exists() else []


def post(line: str) -> None:
    with chat.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


class Killed(Thinker):
    def walk(self, message: Message, conversation: str) -> Walked:
        reach("before thinking")
        walked = super().walk(message, conversation)
        reach("after thinking")
        if message.text.startswith("poison"):
            raise RuntimeError
        return walked


class File:
    async def working(self, work: Work) -> None:
        reach("sign of work")

    async def send(self, work: Work, answered: Answered) -> str:
        reach("before posting")
        if not (work.maybe_sent and any(line.startswith(f"{work.row_id} ") for line in posted())):
            post(f"{work.row_id} {answered.reply.markdown}")
        reach("after posting")
        return str(work.row_id)

    async def apologise(self, work: Work, incident: str) -> None:
        reach("before apology")
        if not (work.maybe_sent and any(line.startswith(f"{work.row_id} sorry") for line in posted())):
            post(f"{work.row_id} sorry {work.message.text}")
        reach("after apology")


async def main() -> None:
    settings = settings_for(folder, limit_person=0, limit_organization=0, attempts=2)
    database = open_database(f"sqlite:///{folder / 'inbox.db'}")
    inbox = Inbox(database, Killed(), settings, utc_now)
    inbox.register("test", File())
    inbox.start()
    rows = []
    for line in (folder / "acts.txt").read_text(encoding="utf-8").splitlines():
        name, conversation = line.split("|")
        received = Received("test", f"test:{name}", f"test:{conversation}", Message(name, person=Person("test:ann")))
        rows.append((await inbox.accept(received)).row_id)
        reach("after claim")
    while not all(ended(database, row) for row in rows):
        await asyncio.sleep(0.01)
    assert await inbox.drain(30)
    reach("after drain")


asyncio.run(main())
