"""Draw docs/pictures/demo.svg from a real run of the demonstration: `make recording`.

Each line appears when it was printed, at SPEED times the pace; who wants no motion, or a program
that knows none, sees all lines at once. Nothing is loaded from anywhere.
"""

import os
import re
import subprocess
import sys
import textwrap
import time
from html import escape
from pathlib import Path

OUT = Path("docs/pictures/demo.svg")
COLUMNS, SPEED, SIZE, LINE = 104, 4.0, 14, 20
STEP = re.compile(r"^(?P<time> *[\d.]+ s)  (?P<title>\S.{0,10}?)(?P<gap> {2,})(?P<seen>.*)$")
FOLDED = {"subsequent_indent": " " * 23, "drop_whitespace": False, "break_on_hyphens": False}
STYLE = """
.ground{fill:#fbfbfa;stroke:#c9cdd3}.bar{fill:#c9cdd3}
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
text{fill:#1c2530;white-space:pre}
.time{fill:#5b6b82}.title{fill:#1d5fbf;font-weight:600}
.line{animation:show .25s both}
@keyframes show{from{opacity:0}to{opacity:1}}
@media (prefers-color-scheme:dark){.ground{fill:#15181d;stroke:#3a4350}.bar{fill:#3a4350}
text{fill:#e3e8ef}.time{fill:#93a5bd}.title{fill:#7fb0ff}}
@media (prefers-reduced-motion:reduce){.line{animation:none}}
"""


def run() -> list[tuple[float, str]]:
    """Each line that the demonstration prints, and when; its failure is ours."""
    command = [sys.executable, "-u", "manage.py", "demo", "--exit"]
    variables = os.environ | {"COLUMNS": str(COLUMNS), "NO_COLOR": "1"}
    lines: list[tuple[float, str]] = []
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            lines.append((time.monotonic(), line.rstrip()))
    if process.returncode:
        sys.exit(f"the demonstration ended with {process.returncode}")
    return [(seen - lines[0][0], text) for seen, text in lines]


def spans(text: str) -> str:
    """A line with its parts in their colours."""
    found = STEP.match(text)
    if not found:
        return escape(text)
    parts = {name: escape(value) for name, value in found.groupdict().items()}
    said = f'<tspan class="time">{parts["time"]}</tspan>  '
    return f'{said}<tspan class="title">{parts["title"]}</tspan>{parts["gap"]}{parts["seen"]}'


def picture(lines: list[tuple[float, str]]) -> str:
    """The recording; its size follows from the lines."""
    shown = [(0.0, "$ make demo ARGS=--exit")]
    for seen, text in lines:
        shown += [(seen, each) for each in textwrap.wrap(text, COLUMNS, **FOLDED)]
    width, height = COLUMNS * SIZE * 0.605 + 40, len(shown) * LINE + 60
    made = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img">',
        "<title>make demo: the life of some rows, as it is printed</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="ground" x="1" y="1" width="{width - 2:.0f}" height="{height - 2}" rx="8"/>',
    ]
    made += [f'<circle class="bar" cx="{22 + 18 * n}" cy="20" r="6"/>' for n in range(3)]
    for number, (seen, text) in enumerate(shown):
        begin = f"animation-delay:{seen / SPEED:.2f}s"
        place = f'x="20" y="{56 + number * LINE}"'
        made.append(f'<text class="line" style="{begin}" {place}>{spans(text)}</text>')
    return "\n".join([*made, "</svg>", ""])


if __name__ == "__main__":
    OUT.write_text(picture(run()), encoding="utf-8")
    print(f"{OUT}: {OUT.stat().st_size:,} bytes")
