"""Which items of a system a report shows: the most typical, the median and the least typical."""

from __future__ import annotations

from typing import NamedTuple

from concours.eval.report.model import Item, System

PLACES = ("best", "median", "worst")
SHOWN = {
    "best": "Best: the closest to the reference",
    "median": "Median: half of the items are closer",
    "worst": "Worst: the farthest from the reference",
    "only": "The only item",
    "first": "One of its first items",
}


class Pick(NamedTuple):
    place: str
    item: Item


def picks(system: System) -> list[Pick]:
    """Best, median and worst by ``Item.distance`` (ties by path), each item once.

    Where no item has a distance (no metric compares items with the reference), the first three
    in path order.
    """
    read = [i for i in system.items if i.status != "failed"]
    placed = sorted((i for i in read if i.distance is not None), key=_distance)
    if not placed:
        return [Pick("first", i) for i in sorted(read, key=lambda i: i.path)[:3]]
    if len(placed) == 1:
        return [Pick("only", placed[0])]
    if len(placed) == 2:
        return [Pick("best", placed[0]), Pick("worst", placed[1])]
    chosen = (placed[0], placed[(len(placed) - 1) // 2], placed[-1])
    return [Pick(place, item) for place, item in zip(PLACES, chosen, strict=True)]


def _distance(item: Item) -> tuple[float, str]:
    assert item.distance is not None
    return item.distance, item.path
