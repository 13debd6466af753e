"""The process's own I/O loop: started once, remade after a fork, gone at exit."""

import asyncio
import os
import threading

import pytest

from allm_rx.testing.answers import Answer
from allm_rx.testing.faults import Stall
from allm_rx.testing.provider_server import ProviderServer
from allm_rx.transport.io_loop import io_loop, on_io_thread
from tests.loopback import PATIENCE, program

CLIENT = """
    import logging, os, sys, threading
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # its debug mode names callbacks that a busy machine made slow
    from reactivex import operators as ops
    from allm_rx import Engine, generate, stream_generate
    from allm_rx import operators as lx
    from allm_rx.adapters import OpenAIChat

    engine = Engine(adapter=OpenAIChat(base_url=sys.argv[1], api_key="k"), model="m")
"""

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def test_there_is_one_loop_on_one_daemon_thread() -> None:
    """Whoever asks gets the same running loop; its thread does not keep the interpreter alive."""
    loops = {io_loop() for _ in range(3)}
    (thread,) = (thread for thread in threading.enumerate() if thread.name == "allm_rx-io")

    assert len(loops) == 1
    assert thread.daemon


def test_threads_that_race_for_it_start_it_once() -> None:
    """Sixteen threads at once make one loop."""
    done = program(
        """
        import threading
        from allm_rx.transport.io_loop import io_loop

        loops, all_ready = set(), threading.Barrier(16)

        def ask():
            all_ready.wait()
            loops.add(io_loop())

        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(len(loops), [thread.name for thread in threading.enumerate()].count("allm_rx-io"))
        """
    )

    assert (done.stdout, done.stderr) == ("1 1\n", "")


def test_only_its_own_thread_is_the_io_thread() -> None:
    """`run()` asks this to see whether it would wait for itself."""

    async def ask() -> bool:
        return on_io_thread()

    there = asyncio.run_coroutine_threadsafe(ask(), io_loop()).result(PATIENCE)

    assert (there, on_io_thread()) == (True, False)


def test_a_loop_that_somebody_stopped_is_replaced() -> None:
    """Calls go on after a foreign `loop.stop()`."""
    done = program(
        """
        import threading
        from allm_rx.transport.io_loop import io_loop

        stopped = io_loop()
        thread = next(thread for thread in threading.enumerate() if thread.name == "allm_rx-io")
        stopped.call_soon_threadsafe(stopped.stop)
        thread.join(30)
        print(io_loop() is stopped, io_loop().is_running())
        """
    )

    assert (done.stdout, done.stderr) == ("False True\n", "")


def test_a_callback_that_wants_to_exit_ends_only_its_own_stream() -> None:
    """`sys.exit()` on the I/O thread cannot end the program; the streams of others go on, and new ones begin."""
    with ProviderServer(Answer(chunks=["a"] * 20, pace=0.01)) as server:
        done = program(
            CLIENT
            + """
    ended, count = threading.Event(), []
    other = stream_generate(engine, "other").pipe(lx.text())
    other.subscribe(count.append, print, ended.set)
    stream_generate(engine, "mine").pipe(lx.text()).subscribe(lambda _: sys.exit(3))
    print(ended.wait(30), len(count), generate(engine, "again").run().output_text == "a" * 20)
    import gc; gc.collect()  # asyncio tells of a task's exception when the task is gone
    """,
            server.base_url("openai-chat"),
            strict=False,
        )

    assert done.stdout == "True 20 True\n"
    assert "SystemExit: 3" in done.stderr


@needs_fork
def test_a_fork_at_a_bad_moment_does_not_hang_the_child() -> None:
    """When another thread is just starting the loop, its lock is nobody's in the child."""
    done = program(
        """
        import os
        from allm_rx.transport import io_loop

        with io_loop._lock:
            child = os.fork()
            if child == 0:
                print(io_loop.io_loop().is_running(), flush=True)
                os._exit(0)
        print(os.waitpid(child, 0)[1])
        """
    )

    assert (done.stdout, done.stderr) == ("True\n0\n", "")


@needs_fork
def test_a_forked_child_has_a_loop_of_its_own() -> None:
    """With a stream open, the child asks for itself, exits in peace, and the parent's stream goes on."""
    slow = Answer(chunks=["a"] * 40, pace=0.02)
    with ProviderServer(lambda body, _: slow if "slow" in str(body) else Answer("Hi")) as server:
        done = program(
            CLIENT
            + """
    texts, begun, ended = [], threading.Event(), threading.Event()
    stream = stream_generate(engine, "slow").pipe(lx.text())
    stream.subscribe(lambda text: (texts.append(text), begun.set()), print, ended.set)
    begun.wait(30)
    child = os.fork()
    if child == 0:
        print("child", generate(engine, "quick").run().output_text, flush=True)
        sys.exit(3)
    print("child ended with", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    print("parent", ended.wait(30), "".join(texts).count("a"))
    print("parent", generate(engine, "quick").run().output_text)
    """,
            server.base_url("openai-chat"),
        )

    assert done.stdout.splitlines() == ["child Hi", "child ended with 3", "parent True 40", "parent Hi"]
    assert done.stderr == ""


@pytest.mark.parametrize(
    "subscribe",
    [
        "stream_generate(engine, 'Hi', on_event=tell).pipe(ops.skip(2)).subscribe(print, print, lambda: print('completed'))",
        "stream_generate(engine, 'Hi', on_event=tell).pipe(lx.text(), ops.skip(1)).subscribe(print)",
        "generate(engine, 'Hi', on_event=tell).subscribe(print)",
        "threading.Thread(target=generate(engine, 'Hi', on_event=tell).run, daemon=True).start()",
    ],
    ids=["all handlers", "no on_error", "a fold", "a daemon thread that waits"],
)
def test_interpreter_exit_leaves_streams_without_a_word(subscribe: str) -> None:
    """A program that ends with a stream open ends at once; the provider sees it leave, and no callback runs any more."""
    with ProviderServer(Answer("Hi there", faults=[Stall(after=2)])) as server:
        done = program(
            CLIENT
            + f"""
    begun = threading.Event()

    def tell(event):
        if event.type == "text_delta": begun.set()

    {subscribe}
    begun.wait(30)
    """,
            server.base_url("openai-chat"),
        )
        server.wait_closed()

    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
