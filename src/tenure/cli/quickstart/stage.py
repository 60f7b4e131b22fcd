"""The stage: headings, the command that a person would type, the command itself, and lines that change."""

import contextlib
import io
import json
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.padding import Padding
from rich.syntax import Syntax

from tenure.cli.audit.command import read
from tenure.cli.audit.replay import to_json
from tenure.cli.door import Door, open_door
from tenure.cli.failures import Failure
from tenure.cli.main import run
from tenure.cli.options import HERE
from tenure.cli.quickstart.outcome import Outcome
from tenure.cli.screen import console
from tenure.resources import Contract, kind_of

LOOK_SECONDS = 0.25
EXIT_OURS = 70


@dataclass(slots=True)
class Stage:
    """Where the story is told. It knows the home and what was found on the way; commands do the work."""

    home: Path
    folder: Path
    whole: bool = True
    """Whether the story is told to its end."""
    screen: Console = field(default_factory=console)
    begun: float = field(default_factory=time.monotonic)
    steps: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    """Of the steps that may come out otherwise than told."""

    def heading(self, title: str, why: str) -> None:
        """A step begins."""
        self.steps += 1
        self.screen.print()
        elapsed = f"{time.monotonic() - self.begun:.0f} s"
        self.screen.rule(f"[bold cyan]{self.steps}  {escape(title)}[/]  [dim]{elapsed}[/]", align="left", style="cyan")
        self.screen.print(Padding(f"[dim]{escape(why)}[/]", (0, 0, 1, 2)))

    def say(self, text: str) -> None:
        """A line of the story (rich markup)."""
        self.screen.print(Padding(text, (0, 0, 0, 2)))

    def file(self, name: str, content: str) -> Path:
        """Write a manifest and show it."""
        path = self.folder / name
        path.write_text(content)
        self.say(f"[bold]{name}[/]")
        self.screen.print(Padding(Syntax(content.rstrip(), "yaml", background_color="default"), (0, 0, 1, 4)))
        return path

    def type(self, *tokens: object) -> None:
        """Show a command as a person would type it."""
        self.screen.print(f"[bold green]$[/] [bold]{escape(' '.join(map(_typed, tokens)))}[/]")

    def run(self, *tokens: object, expect: tuple[int, ...] = (0,), quiet: bool = False) -> int:
        """Type a `tenure` command and run it. An exit code that the story does not expect ends it."""
        words = [str(token) for token in tokens]
        self.type("tenure", *tokens)
        if quiet:
            with contextlib.redirect_stdout(io.StringIO()):
                code = run(words)
        else:
            code = run(words)
        if code not in expect:
            raise Failure(
                f"`tenure {shlex.join(words)}` ended with {code}, the story expects {' or '.join(map(str, expect))}",
                exit_code=code or EXIT_OURS,
                reason="StoryInterrupted",
                next_step=f"look with: tenure --home {self.home} status",
            )
        return code

    def text(self, *tokens: object, expect: tuple[int, ...] = (0,)) -> str:
        """What a command prints, without showing it."""
        caught = io.StringIO()
        with contextlib.redirect_stdout(caught):
            code = run([*map(str, tokens)])
        if code not in expect:
            raise Failure(
                f"`tenure {tokens[0]}` ended with {code}", exit_code=code or EXIT_OURS, reason="StoryInterrupted"
            )
        return caught.getvalue()

    def json(self, *tokens: object, expect: tuple[int, ...] = (0,)) -> Any:
        """The JSON that a command answers, without showing it."""
        return json.loads(self.text(*tokens, "-o", "json", expect=expect))

    @contextmanager
    def door(self) -> Iterator[Door]:
        """The same API as everybody's."""
        with open_door(HERE) as door:
            yield door

    def contract(self, door: Door, name: str) -> Contract:
        """A contract as it is now."""
        return Contract.model_validate(door.get(kind_of(Contract), name, "default"))

    def audit(self, name: str) -> Any:
        """The contract's audit as `tenure contract audit -o json` gives it. Read here and not caught from a command, so
        that it may be asked for while a live view writes to the same screen."""
        return to_json(read(name, "default"))

    def watch(self, show: Callable[[float], Any], until: Callable[[float], bool], seconds_max: float) -> bool:
        """Redraw `show(elapsed)` until `until(elapsed)`; False when the time is over first."""
        begun, elapsed = time.monotonic(), 0.0
        with Live(console=self.screen, refresh_per_second=8, transient=False) as live:
            while (elapsed := time.monotonic() - begun) < seconds_max:
                live.update(Padding(show(elapsed), (0, 0, 0, 2)))
                if until(elapsed):
                    break
                time.sleep(LOOK_SECONDS)
        if not self.screen.is_terminal:
            self.screen.print()  # a live view leaves its last line open where nobody looks
        return elapsed < seconds_max


def _typed(token: object) -> str:
    """A word as a person would type it: the shell's own signs stay unquoted."""
    text = str(token)
    return text if text in (">", "&") else shlex.quote(text)
