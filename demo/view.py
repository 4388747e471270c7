"""How the story is shown: a live picture in a terminal, plain lines anywhere else."""

import time

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from .facts import Facts

#: in the order of a row's life
KINDS = {
    "expiry_scheduled": "scheduled", "tombstoned": "tombstoned", "kept": "kept",
    "restored": "restored", "updated": "updated", "archived": "archived", "purged": "purged",
}  # fmt: skip
REFRESH_SECONDS = 0.3


class PlainView:
    """A line for each step that was seen, and at the end what the ledger has of all of it."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.started = time.monotonic()
        self.title = ""
        self.story: Facts | None = None

    def __enter__(self) -> "PlainView":
        return self

    def __exit__(self, *error: object) -> None:
        if self.story and self.story.rows:
            self.console.print(told(self.story))

    def begin(self, title: str) -> None:
        self.title = title

    def done(self, seen: str) -> None:
        passed = time.monotonic() - self.started
        self.console.print(
            f"{passed:5.1f} s  {self.title:<11}  {seen}", markup=False, soft_wrap=True
        )

    def refresh(self, facts: Facts, story: Facts) -> None:
        """Nothing moves here."""
        self.story = story


class LiveView(PlainView):
    """The steps, the counts by policy, the end of the ledger and the lag."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.steps: list[tuple[str, str]] = []
        self.live = Live(console=console, auto_refresh=False, vertical_overflow="crop")
        self.refreshed = 0.0
        self.ended = False
        self.below: Group = Group()

    def __enter__(self) -> "LiveView":
        self.live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.ended = True
        self.draw()
        self.live.__exit__(None, None, None)

    def begin(self, title: str) -> None:
        super().begin(title)
        self.draw()

    def done(self, seen: str) -> None:
        self.steps.append((self.title, seen))
        self.title, self.refreshed = "", 0.0
        self.draw()

    def refresh(self, facts: Facts, story: Facts) -> None:
        if time.monotonic() - self.refreshed > REFRESH_SECONDS:
            self.below = Group(told(story), ledger(facts, self.room()))
            self.draw()
            self.refreshed = time.monotonic()

    def room(self) -> int:
        """Lines for the ledger; the steps and the counts come first."""
        return max(3, min(8, self.console.height - self.latest() - 12))

    def latest(self) -> int:
        """How many steps are shown while more come: they may not push each other off the screen."""
        return max(5, self.console.height - 16)

    def draw(self) -> None:
        steps = Table.grid(padding=(0, 1))
        for title, seen in self.steps if self.ended else self.steps[-self.latest() :]:
            steps.add_row("[green]✓", f"[bold]{title}", escape(seen))
        if self.title:
            steps.add_row("[yellow]…", f"[bold]{self.title}", "")
        self.live.update(Group(steps, self.below), refresh=True)


def told(story: Facts) -> Table:
    """The story's rows by policy, which is their cause, and what the ledger says of them."""
    table = Table(
        title=Text("rows, as the ledger has them", style="dim"), title_justify="left", box=None
    )
    table.add_column("policy", no_wrap=True)
    table.add_column("what happened to how many")
    for policy, rows in sorted(story.told().items()):
        seen = (f"{rows[kind]} {word}" for kind, word in KINDS.items() if rows.get(kind))
        table.add_row(policy, ", ".join(seen))
    return table


def ledger(facts: Facts, lines: int) -> Group:
    """The last events, and the lag of the slowest row."""
    names = ("until tombstoned", "until purged")
    lags = zip(names, facts.lag(), strict=True)
    delays = [f"{name} {lag.total_seconds():.1f} s" for name, lag in lags if lag]
    title = f"ledger (lag: {', '.join(delays) or 'nothing ended yet'})"
    table = Table(box=None)
    for column in ("event", "kind", "about", "rows", "at"):
        table.add_column(column, justify="right" if column in ("event", "rows") else "left")
    for event in facts.last_events(lines):
        about = escape(event.policy or event.model)
        at = f"{event.recorded_at:%H:%M:%S}"
        table.add_row(str(event.pk), event.kind, about, str(event.count), at)
    return Group(Text(title, style="dim"), table)


def view_for(console: Console) -> PlainView:
    """A live view where there is a terminal that can move its cursor."""
    movable = console.is_terminal and not console.is_dumb_terminal
    return LiveView(console) if movable else PlainView(console)
