"""A conversation that survives the program: saved after a turn, loaded by another, continued."""

from pathlib import Path
from tempfile import TemporaryDirectory

from example_engine import example_engine

from allm_rx import Engine, SqliteStore, sessions


def first_run(engine: Engine, file: Path) -> None:
    turn = sessions.start(engine, "My name is Ada.", id="ada").run()
    print("model:", turn.result.output_text)
    SqliteStore(file).save(turn.session)


def later_run(engine: Engine, file: Path) -> None:
    store = SqliteStore(file)
    stored = store.load("ada")
    turn = sessions.reply(engine, stored.session, "What is my name?").run()
    print("model:", turn.result.output_text)
    store.save(turn.session, expected=stored.version)  # an error, if somebody else saved it meanwhile
    print(f"({turn.session.status}, {len(turn.session.thread.messages)} messages)")


if __name__ == "__main__":
    with example_engine(__doc__) as engine, TemporaryDirectory() as folder:
        first_run(engine, Path(folder) / "sessions.db")
        later_run(engine, Path(folder) / "sessions.db")
