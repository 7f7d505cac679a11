"""Sixteen numbers at once: what a kernel's short inner loops are written with.

numba turns a loop into vector instructions where it is long and its arrays cannot overlap; a loop
over sixteen neighbours, inside others, it unrolls into single numbers instead. Here the sixteen are
one value, which stays in the machine's vector registers.

Conventions
-----------
- Only kernels (:mod:`concours.metrics.compiled`) can call these. A value of lanes never leaves the
  kernel that made it.
- ``load`` and ``store`` take a one-dimensional array and the place of the first of ``LANES``
  neighbours in it. Nothing checks that place: arrays need room on the right. From an ``aligned``
  array the lanes at multiples of ``LANES`` come fastest.
- Numbers are int32, int64 or float32, of one kind on both sides. Whole numbers wrap around;
  a product and a sum of float32 may be rounded once instead of twice.
"""

# ruff: noqa: ARG001  (numba gives a typing function the types of all arguments, by its names)
from __future__ import annotations

from functools import cache
from typing import Any

from concours.metrics.compiled import compiled, emitted

LANES = 16


@cache
def _kind() -> Any:
    """The type of lanes for numba, which is imported with the first kernel that uses one."""
    from llvmlite import ir
    from numba.core import types
    from numba.extending import models, register_model

    class Lanes(types.Type):
        def __init__(self, number: Any) -> None:
            self.number = number
            super().__init__(f"Lanes({number})")

    def model(manager: Any, kind: Any) -> Any:
        number = manager.lookup(kind.number).get_value_type()
        primitive: Any = models.PrimitiveModel
        return primitive(manager, kind, ir.VectorType(number, LANES))

    register_model(Lanes)(model)
    return Lanes


@compiled
def aligned(array: Any) -> Any:
    """The array from the first place on whose lanes fill whole lines of the processor's cache: up
    to ``LANES`` - 1 numbers shorter."""
    return array[-(array.ctypes.data // array.itemsize) % LANES :]


@emitted
def load(context: Any, array: Any, at: Any) -> Any:
    """The lanes ``array[at]`` to ``array[at + LANES - 1]``."""
    from numba.core import types

    def code(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        found = builder.load(_place(target, builder, signature, arguments))
        found.align = array.dtype.bitwidth // 8
        return found

    return _kind()(array.dtype)(array, types.intp), code


@emitted
def store(context: Any, array: Any, at: Any, lanes: Any) -> Any:
    """Writes the lanes to ``array[at]`` to ``array[at + LANES - 1]``."""
    from numba.core import types

    def code(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        done = builder.store(arguments[2], _place(target, builder, signature, arguments))
        done.align = array.dtype.bitwidth // 8
        return target.get_dummy_value()

    return types.void(array, types.intp, lanes), code


@emitted
def spread(context: Any, number: Any) -> Any:
    """Lanes that all hold ``number``."""

    def code(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        from llvmlite import ir

        whole = ir.IntType(32)
        nothing = ir.Constant(target.get_value_type(signature.return_type), ir.Undefined)
        first = builder.insert_element(nothing, arguments[0], whole(0))
        return builder.shuffle_vector(first, nothing, ir.VectorType(whole, LANES)([0] * LANES))

    return _kind()(number)(number), code


@emitted
def plus(context: Any, x: Any, y: Any) -> Any:
    """x + y, lane by lane."""
    return _lane_by_lane(x, y, "add")


@emitted
def times(context: Any, x: Any, y: Any) -> Any:
    """x · y, lane by lane."""
    return _lane_by_lane(x, y, "mul")


@emitted
def larger(context: Any, x: Any, y: Any) -> Any:
    """The larger of x and y, lane by lane."""

    def code(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        compare = builder.fcmp_ordered if _is_float(x) else builder.icmp_signed
        return builder.select(compare(">", *arguments), *arguments)

    return x(x, y), code


def _lane_by_lane(x: Any, y: Any, operation: str) -> Any:
    """The types and the code of what the machine does with two numbers."""

    def code(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if _is_float(x):
            return getattr(builder, f"f{operation}")(*arguments, flags=("contract",))
        return getattr(builder, operation)(*arguments)

    return x(x, y), code


def _is_float(lanes: Any) -> bool:
    from numba.core import types

    return isinstance(lanes.number, types.Float)


def _place(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """The address of the lanes from element ``arguments[1]`` of the array ``arguments[0]`` on."""
    array = signature.args[0]
    first = target.make_array(array)(target, builder, arguments[0]).data
    lanes = target.get_value_type(_kind()(array.dtype))
    return builder.bitcast(builder.gep(first, [arguments[1]]), lanes.as_pointer())
