"""What users do with the chat in Tk, and what they see of it; what they should see is with the tests."""

import importlib
import json
import subprocess
from typing import Any

from allm_rx.data.events import TextDelta
from tests.apps.tk_user import User


def leave_in_mid_answer(user: User) -> Any:
    user.ask("Tell me a story")
    user.until(lambda: user.answer)
    return {"answer": user.answer, "busy": user.chat.busy}


def talk(user: User) -> Any:
    user.ask("Hi")
    user.finish()
    user.ask("How are you?")
    user.finish()
    return {"questions": user.texts("Bubble.TLabel"), "answer": user.answer, "remarks": user.texts("Quiet.TLabel")}


def write_lines(user: User) -> Any:
    user.type("One")
    user.press("shift+Return")
    user.type("two")
    lines = user.prompt
    user.press("Return")
    user.until(lambda: user.chat.busy)
    user.finish()
    return {"prompt": lines, "then": user.prompt, "questions": user.texts("Bubble.TLabel")}


def stop(user: User, how: str) -> Any:
    """Stop an answer that stalls, after typing something into the window that waits."""
    user.ask("Tell me a story")
    user.until(lambda: user.answer)
    user.type("still alive")
    user.until(lambda: user.prompt == "still alive")
    if how == "click":
        user.click(user.chat.button)
    else:
        user.press("Escape")
    user.finish()
    return {"answer": user.answer, "remarks": user.texts("Quiet.TLabel"), "prompt": user.prompt}


def try_again(user: User) -> Any:
    user.ask("Hi")
    user.finish()
    failed = user.texts("Failure.TLabel")
    user.click(user.widgets("Retry.TButton")[0])
    user.until(lambda: user.answer == "Better.")
    user.finish()
    return {"failed": failed, "now": user.texts("Failure.TLabel"), "questions": user.texts("Bubble.TLabel")}


def copy(user: User) -> Any:
    user.ask("Hi")
    user.finish()
    user.click(user.widgets("Link.TButton")[0])
    user.until(lambda: user.texts("Link.TButton") == ["Copied"])
    return {"shown": user.answer, "copied": user.root.clipboard_get()}


def begin_anew(user: User) -> Any:
    """Begin anew while the first answer is under way."""
    user.ask("Hi")
    user.until(lambda: user.answer)
    user.click(user.chat.new)
    user.until(lambda: not user.chat.busy)
    left = user.log.get("1.0", "end-1c")
    user.click(user.chat.prompt)
    user.ask("How are you?")
    user.finish()
    return {"left": left, "questions": user.texts("Bubble.TLabel"), "answer": user.answer}


def use_tools(user: User) -> Any:
    user.ask("How is the weather in Oslo and Lima?")
    user.finish()
    return {"calls": user.texts("Call.TLabel"), "results": user.texts("Result.TLabel"), "answer": user.answer}


def read(user: User) -> Any:
    user.ask("Hi")
    user.finish()
    return {"answer": user.answer, "thinking": styled(user, "thinking"), "bold": styled(user, "bold")}


def styled(user: User, tag: str) -> list[str]:
    """Give the pieces of text that have a tag."""
    ranges = user.log.tag_ranges(tag)
    return [user.log.get(begin, end) for begin, end in zip(ranges[::2], ranges[1::2], strict=True)]


def scroll_up(user: User) -> Any:
    """Turn the wheel up while an answer comes, and back down."""
    user.ask("Count")
    user.until(lambda: user.log.yview()[0] > 0)
    followed = user.log.yview()[1]
    user.click(user.log, button=4)
    stood = user.log.index("@0,0")
    so_far = len(user.answer)
    user.until(lambda: len(user.answer) > so_far + 500)
    stands = user.log.index("@0,0")
    while user.log.yview()[1] < 1:
        user.click(user.log, button=5)
    user.finish()
    user.until(lambda: user.log.yview()[1] == 1)
    return {"followed": followed, "stood still": stood == stands}


def switch(user: User) -> Any:
    """Press the button for other colours twice, and see the grounds."""
    grounds: list[list[str]] = []
    user.ask("Hi")
    user.finish()
    for _ in range(3):
        grounds.append([str(part.cget("background")) for part in (user.root, user.log, user.chat.prompt)])
        user.click(user.chat.mode)
        user.until(lambda: str(user.log.cget("background")) != grounds[-1][1])
    return grounds


def show_much(user: User) -> Any:
    """A question, a result and a block of code are higher than any window of X can be."""
    user.chat.send("line\n" * 5000)
    user.finish()
    lines = len(styled(user, "block"))
    return {"lines of code": user.answer.count("x = 1"), "blocks": lines, "end is shown": user.answer.endswith("Done.")}


def cut(user: User, text: str) -> Any:
    """See a text that comes in two pieces, for every way to cut it."""
    answer = importlib.import_module("tk_answer").Answer
    seen: list[Any] = []
    for at in range(len(text)):
        user.chat.begin()
        with user.chat.log.writing():
            shown = answer(user.chat.log, try_again=user.chat.ask)
            for piece in (text[:at], text[at:]):
                shown.show([TextDelta(id="0", delta=piece)])
            shown.fail("")
        tags = ("bold", "code", "block", "gap", "strip")
        ranges = {tag: [str(index) for index in user.log.tag_ranges(tag)] for tag in tags}
        seen.append((user.answer, {tag: styled(user, tag) for tag in tags}, ranges))
    return [seen[0][:2], [at for at, one in enumerate(seen) if one != seen[0]]]


def look(user: User, scheme: str, questions: str, picture: str) -> Any:
    """Hold the conversation of the pictures, and take one if it is to go anywhere."""
    if scheme == "dark":
        user.click(user.chat.mode)
        user.click(user.chat.prompt)
    for question in json.loads(questions):
        user.ask(question)
        user.finish()
    if picture:  # ImageMagick's, as Tk has nothing of the kind
        with subprocess.Popen(["import", "-window", "root", picture]) as tool:
            user.until(lambda: tool.poll() is not None)
    ground = str(user.log.cget("background"))
    calls = len([text for text in user.texts("Call.TLabel") if text])
    return {"ground": ground, "blocks": len(styled(user, "block")), "calls": calls}
