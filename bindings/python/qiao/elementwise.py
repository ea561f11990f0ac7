"""Kernels that compute each element of their results from the elements at the same place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _generate as generate

if TYPE_CHECKING:
    from ._native import Array, Kernel, Queue

__all__ = ["Elementwise"]


class Elementwise:
    """An expression of OpenCL C, computed for each element of arrays of one shape.

    >>> import numpy as np, qiao
    >>> axpy = qiao.Elementwise("T a, T x, T y -> T", "a * x + y")
    >>> x = qiao.open("mock").array(np.arange(4, dtype=np.float32))
    >>> axpy(2, x, x).numpy()
    array([0., 3., 6., 9.], dtype=float32)

    The signature says inputs and outputs. A type is a dtype's name, or a capital letter for the dtype of the arrays that are given for it;
    each input is an array or a number, as it is called. An output without a name is the value of the expression; outputs with names
    are assigned by it: ``Elementwise("T x -> T s, T c", "s = sin(x); c = cos(x)")``. ``i`` is the index of the element, ``n`` how
    many there are. ``preamble`` is put before the kernel: functions, ``#define``.

    A kernel is compiled at the first call with each device and choice of types, and kept.
    """

    def __init__(self, signature: str, expression: str, *, name: str = "elementwise", preamble: str = "") -> None:
        self._signature = generate.Signature(signature)
        self._expression = expression
        self._preamble = preamble
        self._kernels = generate.KernelCache(name, {"expression": expression, "preamble": preamble})

    def __call__(self, *arguments: Any, out: Array | tuple[Array, ...] | None = None, queue: Queue | None = None) -> Any:
        """The result, or a tuple of several; new arrays unless ``out`` gives them, which may be the inputs. Returns at once."""
        signature = self._signature
        inputs = signature.bind(arguments)
        given = out if isinstance(out, tuple) else (out,) * len(signature.outputs) if out is None else (out,)
        if len(given) != len(signature.outputs):
            raise ValueError(f"'out' of '{signature.text}' takes {len(signature.outputs)} arrays, {len(given)} were given")
        results = [signature.output(index, inputs, inputs.shape, array) for index, array in enumerate(given)]
        if inputs.size > 0:
            groups = generate.groups_of(inputs.device)
            grid = groups.count(-(-inputs.size // groups.size)) * groups.size

            def launch(kernels: dict[str, Kernel]) -> None:
                kernels["elementwise_"].launch(*inputs.values, *results, inputs.size, grid=grid, group=groups.size, queue=queue)

            dtypes = [generate.dtype_of(argument, inputs.types) for argument in signature.inputs + signature.outputs]
            self._kernels.run(inputs, dtypes, lambda: self._text(inputs), launch)
        return results[0] if len(results) == 1 else tuple(results)

    def _text(self, inputs: generate.Inputs) -> str:
        signature = self._signature
        types = [generate.dtype_of(argument, inputs.types) for argument in signature.outputs]
        names = [argument.name or "result_" for argument in signature.outputs]
        targets = ", ".join(f"global {generate.c_name(dtype)} *{name}_out_" for dtype, name in zip(types, names))
        declared = " ".join(f"{'bool' if dtype.kind == 'b' else generate.c_name(dtype)} {name} = 0;" for dtype, name in zip(types, names))
        words = generate.users_text(self._expression, "expression")
        computed = words + ";" if signature.outputs[0].name else f"result_ = ({words});"
        stored = " ".join(f"{name}_out_[i] = {name};" for name in names)
        inputs_and_outputs = [generate.dtype_of(argument, inputs.types) for argument in signature.inputs] + types
        return f"""{generate.header(inputs_and_outputs)}{generate.users_text(self._preamble, "preamble")}
kernel void elementwise_({generate.parameters(signature, inputs)}, {targets}, const ulong n) {{
    for (ulong i = get_global_id(0); i < n; i += get_global_size(0)) {{
        {generate.elements(signature, inputs)}
        {declared}
        {computed}
        {stored}
    }}
}}
"""

    def __repr__(self) -> str:
        return f"<qiao.Elementwise '{self._signature.text}' {self._expression!r}>"
