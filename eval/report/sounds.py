"""The sound of a page: noted while the page is laid out, made when its size is known.

Embedded sound must fit into what the rest of the page leaves of 5 MB. So the page is written with
marks in place of its sounds; then each gets as many seconds as there is room for, never under 5;
where even that is too much, the examples further down a system's list stay silent and say so.
Sound that lies beside the page has no such limit.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from html import escape

from concours.eval.render import CLIP_BYTES_PER_SECOND, RENDERING, Clip, RenderError
from concours.eval.report import Keep

LIMIT = 4_900_000
LONGEST, SHORTEST = 20.0, 5.0
_OVERHEAD = 1_200  # of an MP3 file and its tag
_ELEMENT = re.compile(r'<audio [^>]*src="sound:(\d+)"[^>]*></audio>')
_SECONDS = "sound:seconds"
_FULL = '<p class="small">No sound: the page is full. --audio beside keeps all of it.</p>'

Make = Callable[[float], Clip]


def data_uri(name: str, make: Callable[[], bytes]) -> str:  # noqa: ARG001
    """The sound inside the page."""
    return f"data:audio/mpeg;base64,{base64.b64encode(make()).decode()}"


class Sounds:
    """``keep`` says where sounds go; None embeds them."""

    def __init__(self, keep: Keep | None = None) -> None:
        self.keep = keep
        self.noted: list[tuple[int, float, str, Make]] = []

    def note(self, make: Make, length: float, place: int, content: str) -> str:
        """A mark for a sound of at most ``length`` seconds; ``make`` gets the seconds that it may
        last. ``place`` is its place in its system's list: the first ones are made first.
        ``content`` is the sha256 of what is heard."""
        self.noted.append((place, length, content, make))
        return f"sound:{len(self.noted) - 1}"

    @property
    def seconds_mark(self) -> str:
        """Stands for the seconds that a sound may last."""
        return _SECONDS

    def fill(self, page: str) -> str:
        """The page with its sounds in place of the marks."""
        seconds, made = self._share(LIMIT - len(page.encode()))

        def element(found: re.Match[str]) -> str:
            number = int(found[1])
            if number not in made:
                return _FULL
            _, _, content, make = self.noted[number]
            name = f"{content[:16]}-{seconds:.0f}s-{RENDERING}.mp3"
            try:
                address = (self.keep or data_uri)(name, lambda: make(seconds).data)
            except RenderError as error:
                return f'<p class="small">No sound: {escape(str(error))}.</p>'
            return found[0].replace(f"sound:{number}", address)

        return _ELEMENT.sub(element, page).replace(_SECONDS, f"{seconds:.0f}")

    def _share(self, room: int) -> tuple[float, frozenset[int]]:
        """How long each sound may last, and which are made."""
        everything = list(range(len(self.noted)))
        if self.keep is not None:
            return LONGEST, frozenset(everything)
        order = sorted(everything, key=lambda i: (self.noted[i][0], i))
        while order and self._size(order, SHORTEST) > room:
            order.pop()
        seconds = LONGEST
        while seconds > SHORTEST and self._size(order, seconds) > room:
            seconds -= 1.0
        return seconds, frozenset(order)

    def _size(self, numbers: list[int], seconds: float) -> float:
        """The characters that these sounds take when embedded."""
        total = sum(min(seconds, self.noted[i][1]) for i in numbers)
        return 4 / 3 * (CLIP_BYTES_PER_SECOND * 1.03 * total + _OVERHEAD * len(numbers))
