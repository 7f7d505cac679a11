"""Markov chains over the events of each voice.

Conventions
-----------
- A state is a whole event: its chord or note, durations, and the time to the next event. An
  order-k chain draws the next event from those that followed the last k events anywhere in the
  training pieces, as often as they did.
- Training pieces are first transposed, by at most six semitones, so that their notes best fit
  the scale of C major; drums stay. A generated piece is transposed to its model's key.
- Each role (the n-th track, or the drums) has a chain of its own, trained on that role in all
  pieces, and starts where pieces start. Voices are drawn independently of each other.
- A voice stays within the compass (lowest to highest pitch) of its model's voice: the chain draws
  among the followers that do. Without this, voices learnt from many pieces in many registers
  wander further than any one of them.
- Where nothing within the compass ever followed a context (it may end a training piece), its
  oldest event is dropped until something did.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from concours.eval.baselines.voices import Event, assemble, common_resolution, voices
from concours.metrics.piece import Piece

MAJOR = (0, 2, 4, 5, 7, 9, 11)
START = Event((), 0)

Role = tuple[bool, int]
Chain = dict[tuple[Event, ...], list[Event]]


class MarkovModel:
    """Chains of one order for every role of the training pieces."""

    def __init__(self, train: Sequence[Piece], order: int) -> None:
        self.order = order
        self.resolution = common_resolution(train)
        self._chains: dict[Role, Chain] = {}
        for piece in train:
            shift = to_c_major(piece)
            for voice in voices(piece, self.resolution):
                events = [_shifted(e, 0 if voice.is_drum else shift) for e in voice.events]
                self._learn(voice.role, [START] * order + events)

    def _learn(self, role: Role, events: list[Event]) -> None:
        chain = self._chains.setdefault(role, defaultdict(list))
        for i in range(self.order, len(events)):
            for k in range(self.order + 1):
                chain[tuple(events[i - k : i])].append(events[i])

    def sample(self, model: Piece, rng: np.random.Generator) -> Piece:
        """A piece as long as ``model``, in its key and for its tracks."""
        shift = to_c_major(model)
        lines = []
        for voice in voices(model, self.resolution):
            to_c = 0 if voice.is_drum else shift
            compass = _compass([_shifted(e, to_c) for e in voice.events])
            length = sum(e.step for e in voice.events)
            events = self._draw(voice.role, length, compass, rng)
            back = -to_c
            lines.append(voice._replace(events=tuple(_shifted(e, back) for e in events)))
        return assemble(model, lines, self.resolution)

    def _draw(
        self, role: Role, length: int, compass: tuple[int, int], rng: np.random.Generator
    ) -> list[Event]:
        chain = self._chains[role]
        events = [START] * self.order
        time = 0
        while time < length:
            context = tuple(events[-self.order :])
            followers = _within(chain.get(context, []), compass)
            while not followers and context:
                context = context[1:]
                followers = _within(chain.get(context, []), compass)
            followers = followers or chain[()]
            events.append(followers[int(rng.integers(len(followers)))])
            time += events[-1].step
        return events[self.order :]


def _compass(events: Sequence[Event]) -> tuple[int, int]:
    pitches = [p for e in events for p, _ in e.notes]
    return min(pitches), max(pitches)


def _within(events: Sequence[Event], compass: tuple[int, int]) -> list[Event]:
    """The events whose notes all lie in the compass."""
    low, high = compass
    return [e for e in events if all(low <= p <= high for p, _ in e.notes)]


def to_c_major(piece: Piece) -> int:
    """Semitones, -5 to 6, by which the piece best fits the scale of C major; the least of equals.

    >>> from concours.metrics.piece import make_piece
    >>> d_major = make_piece(onset=range(7), end=range(1, 8), pitch=[62, 64, 66, 67, 69, 71, 73])
    >>> to_c_major(d_major)
    -2
    """
    pitched = ~piece.is_drum
    duration = (piece.end - piece.onset)[pitched].astype(np.float64)
    weight = np.bincount(piece.pitch[pitched] % 12, weights=duration, minlength=12)
    shifts = sorted(range(-5, 7), key=abs)
    fits = [float(sum(weight[(degree - s) % 12] for degree in MAJOR)) for s in shifts]
    return shifts[int(np.argmax(np.round(fits, 6)))]


def _shifted(event: Event, shift: int) -> Event:
    if not shift:
        return event
    return Event(tuple((_in_range(p + shift), d) for p, d in event.notes), event.step)


def _in_range(pitch: int) -> int:
    """The pitch, an octave away from where it would leave MIDI's 0-127."""
    return pitch + 12 if pitch < 0 else pitch - 12 if pitch > 127 else pitch
