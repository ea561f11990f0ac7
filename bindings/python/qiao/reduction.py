"""Kernels that make one value of all elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _generate as generate

if TYPE_CHECKING:
    from ._native import Array, Kernel, Queue

__all__ = ["Reduction"]

# Groups of the first stage; the second is one group that takes a value of each.
_MOST_GROUPS = 256


class Reduction:
    """All elements of arrays, combined to one value.

    >>> import numpy as np, qiao
    >>> dot = qiao.Reduction("T x, T y -> T", "a + b", 0, map="x * y")
    >>> x = qiao.open("mock").array(np.arange(4, dtype=np.float32))
    >>> float(dot(x, x).numpy())
    14.0

    ``map`` computes what is combined from the elements at one place (without it the input itself), ``combine`` makes one value of ``a`` and
    ``b``, in any order and grouping; ``identity`` is the value that changes nothing, a number or its text in OpenCL C. All values in
    between have the output's type. ``i`` and ``n`` are known to ``map``; ``preamble`` is put before the kernels. Of no elements the
    result is the identity.
    """

    def __init__(self, signature: str, combine: str, identity: float | str, *, map: str = "", name: str = "reduction",
                 preamble: str = "") -> None:
        self._signature = generate.Signature(signature)
        generate.check_one_result(self._signature, map)
        self._combine = combine
        self._identity = identity
        self._map = map or self._signature.inputs[0].name
        self._preamble = preamble
        self._kernels = generate.KernelCache(name, {"combine": combine, "map": map, "identity": str(identity), "preamble": preamble})

    def __call__(self, *arguments: Any, out: Array | None = None, queue: Queue | None = None) -> Array:
        """The result, an array without dimensions, new unless ``out`` gives it. Returns at once."""
        inputs = self._signature.bind(arguments)
        result = self._signature.output(0, inputs, (), out)
        group = generate.groups_of(inputs.device).size
        groups = generate.groups_of(inputs.device).count(min(-(-inputs.size // group), _MOST_GROUPS))
        partial = result if groups == 1 else inputs.device.empty(groups, result.dtype)

        def launch(kernels: dict[str, Kernel]) -> None:
            kernels["reduce_"].launch(*inputs.values, partial, inputs.size, grid=groups * group, group=group, queue=queue)
            if groups > 1:
                kernels["reduce_partial_"].launch(partial, result, groups, grid=group, group=group, queue=queue)

        dtypes = [generate.dtype_of(argument, inputs.types) for argument in self._signature.inputs] + [result.dtype]
        self._kernels.run(inputs, dtypes, lambda: self._text(inputs, dtypes, group), launch)
        return result

    def _text(self, inputs: generate.Inputs, dtypes: list[Any], group: int) -> str:
        value = generate.c_name(dtypes[-1])
        tree = f"""    local {value} tree_[{group}];
    const uint own_ = get_local_id(0);
    tree_[own_] = sum_;
    for (uint half_ = {group} / 2; half_ > 0; half_ /= 2) {{
        barrier(CLK_LOCAL_MEM_FENCE);
        if (own_ < half_) tree_[own_] = combine_(tree_[own_], tree_[own_ + half_]);
    }}
    if (own_ == 0) results_[get_group_id(0)] = tree_[0];
"""
        return f"""{generate.combining(dtypes, self._preamble, self._combine, self._identity)}
kernel void reduce_({generate.parameters(self._signature, inputs)}, global {value} *results_, const ulong n) {{
    {value} sum_ = IDENTITY_;
    for (ulong i = get_global_id(0); i < n; i += get_global_size(0)) {{
        {generate.elements(self._signature, inputs)}
        sum_ = combine_(sum_, ({generate.users_text(self._map, "map")}));
    }}
{tree}}}
kernel void reduce_partial_(global const {value} *partial_, global {value} *results_, const ulong n) {{
    {value} sum_ = IDENTITY_;
    for (ulong i = get_local_id(0); i < n; i += {group}) sum_ = combine_(sum_, partial_[i]);
{tree}}}
"""

    def __repr__(self) -> str:
        return f"<qiao.Reduction '{self._signature.text}' {self._combine!r}>"
