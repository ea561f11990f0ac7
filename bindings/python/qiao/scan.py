"""Kernels that combine each element with all before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _generate as generate

if TYPE_CHECKING:
    from ._native import Array, Kernel, Queue

__all__ = ["Scan"]

# Consecutive elements that a work-item combines itself, so that a group meets at fewer barriers.
_RUN = 8
# Blocks of the array, each scanned by one group; one work-item scans their sums.
_MOST_BLOCKS = 256


class Scan:
    """Running sums and their like, over the elements in C order.

    >>> import numpy as np, qiao
    >>> running = qiao.Scan("T x -> T", "a + b", 0)
    >>> x = qiao.open("mock").array(np.arange(5, dtype=np.int32))
    >>> running(x).numpy()
    array([ 0,  1,  3,  6, 10], dtype=int32)

    Arguments as for :class:`Reduction`, but ``combine`` needs to be associative only: ``a`` comes before ``b``. With ``exclusive`` a result has
    what comes before its element, and the first one is the identity.
    """

    def __init__(self, signature: str, combine: str, identity: float | str, *, map: str = "", exclusive: bool = False, name: str = "scan",
                 preamble: str = "") -> None:
        self._signature = generate.Signature(signature)
        generate.check_one_result(self._signature, map)
        self._combine = combine
        self._identity = identity
        self._map = map or self._signature.inputs[0].name
        self._is_exclusive = exclusive
        self._preamble = preamble
        self._kernels = generate.KernelCache(name, {"combine": combine, "map": map, "identity": str(identity), "preamble": preamble})

    def __call__(self, *arguments: Any, out: Array | None = None, queue: Queue | None = None) -> Array:
        """The results in the inputs' shape, a new array unless ``out`` gives it, which may be an input. Returns at once."""
        inputs = self._signature.bind(arguments)
        result = self._signature.output(0, inputs, inputs.shape, out)
        if inputs.size == 0:
            return result
        group = generate.groups_of(inputs.device).size
        tile = group * _RUN
        tiles = -(-inputs.size // tile)
        tiles_of_block = -(-tiles // generate.groups_of(inputs.device).count(min(tiles, _MOST_BLOCKS)))
        blocks = -(-tiles // tiles_of_block)
        block = tiles_of_block * tile
        sums = inputs.device.empty(blocks, result.dtype)

        def launch(kernels: dict[str, Kernel]) -> None:
            kernels["sum_blocks_"].launch(*inputs.values, sums, block, inputs.size, grid=blocks * group, group=group, queue=queue)
            kernels["scan_sums_"].launch(sums, blocks, grid=1, queue=queue)
            kernels["scan_blocks_"].launch(*inputs.values, sums, result, block, inputs.size, grid=blocks * group, group=group, queue=queue)

        dtypes = [generate.dtype_of(argument, inputs.types) for argument in self._signature.inputs] + [result.dtype]
        self._kernels.run(inputs, dtypes, lambda: self._text(inputs, dtypes, group), launch)
        return result

    def _text(self, inputs: generate.Inputs, dtypes: list[Any], group: int) -> str:
        value = generate.c_name(dtypes[-1])
        taken = generate.parameters(self._signature, inputs)
        element = f"{generate.elements(self._signature, inputs)} const {value} element_ = ({generate.users_text(self._map, 'map')});"
        result = "results_[i] = before_; before_ = combine_(before_, element_);" if self._is_exclusive else \
            "before_ = combine_(before_, element_); results_[i] = before_;"
        # Each work-item's run, combined; then `tree_` has them all.
        runs = f"""    local {value} tree_[{group}];
    const uint own_ = get_local_id(0);
    const ulong begin_ = get_group_id(0) * block_;
    const ulong end_ = min(begin_ + block_, n);
    for (ulong tile_ = begin_; tile_ < end_; tile_ += {group * _RUN}) {{
        const ulong run_ = tile_ + own_ * {_RUN};
        {value} sum_ = IDENTITY_;
        for (ulong i = run_; i < run_ + {_RUN} && i < end_; ++i) {{
            {element}
            sum_ = combine_(sum_, element_);
        }}
        tree_[own_] = sum_;
        barrier(CLK_LOCAL_MEM_FENCE);
"""
        return f"""{generate.combining(dtypes, self._preamble, self._combine, self._identity)}
kernel void sum_blocks_({taken}, global {value} *sums_, const ulong block_, const ulong n) {{
    {value} carry_ = IDENTITY_;
{runs}
        for (uint step_ = 1; step_ < {group}; step_ *= 2) {{ // neighbours, so that the order is kept
            if (own_ % (2 * step_) == 0) tree_[own_] = combine_(tree_[own_], tree_[own_ + step_]);
            barrier(CLK_LOCAL_MEM_FENCE);
        }}
        carry_ = combine_(carry_, tree_[0]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }}
    if (own_ == 0) sums_[get_group_id(0)] = carry_;
}}
kernel void scan_sums_(global {value} *sums_, const ulong blocks_) {{
    {value} before_ = IDENTITY_;
    for (ulong block_ = 0; block_ < blocks_; ++block_) {{
        const {value} sum_ = sums_[block_];
        sums_[block_] = before_;
        before_ = combine_(before_, sum_);
    }}
}}
kernel void scan_blocks_({taken}, global const {value} *sums_, global {value} *results_, const ulong block_, const ulong n) {{
    {value} carry_ = sums_[get_group_id(0)];
{runs}
        for (uint step_ = 1; step_ < {group}; step_ *= 2) {{
            const {value} both_ = own_ >= step_ ? combine_(tree_[own_ - step_], tree_[own_]) : tree_[own_];
            barrier(CLK_LOCAL_MEM_FENCE);
            tree_[own_] = both_;
            barrier(CLK_LOCAL_MEM_FENCE);
        }}
        {value} before_ = own_ > 0 ? combine_(carry_, tree_[own_ - 1]) : carry_;
        for (ulong i = run_; i < run_ + {_RUN} && i < end_; ++i) {{
            {element}
            {result}
        }}
        carry_ = combine_(carry_, tree_[{group - 1}]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }}
}}
"""

    def __repr__(self) -> str:
        return f"<qiao.Scan '{self._signature.text}' {self._combine!r}{', exclusive' if self._is_exclusive else ''}>"
