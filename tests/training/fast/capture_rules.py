"""A stand-in for the capture of a CUDA graph, where there is no GPU: it refuses what a capture refuses.

A captured step may neither wait for the device (to read a number, to count what a condition picks) nor take
numbers from the host: a graph would hold those of the first step for ever, if it could be made at all.
"""

from __future__ import annotations

from torch.utils._python_dispatch import TorchDispatchMode

REFUSED = {
    "_local_scalar_dense": "reads a number from the device",
    "is_nonzero": "reads a number from the device",
    "masked_fill.Tensor": "reads the filling from the device",
    "masked_fill_.Tensor": "reads the filling from the device",
    "nonzero": "counts on the host",
    "masked_select": "counts on the host",
    "unique": "counts on the host",
    "repeat_interleave.Tensor": "counts on the host",
    "lift_fresh": "makes a tensor of numbers of the host",
    "equal": "reads an answer from the device",
}
"""Operations of ATen, by name or by name and overload."""


class CaptureRefusedError(RuntimeError):
    """The step could not be captured."""


class CaptureRules(TorchDispatchMode):
    """Context in which an operation that no CUDA graph can hold raises `CaptureRefusedError`."""

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        name, _, overload = function.__name__.partition(".")
        for key in (name, f"{name}.{overload}"):
            if key in REFUSED:
                raise CaptureRefusedError(f"{key} {REFUSED[key]}")
        if name in {"index", "index_put", "index_put_"} and any(
            index is not None and index.dtype.is_floating_point is False and index.dtype.itemsize == 1
            for index in arguments[1]
        ):
            raise CaptureRefusedError("an index of booleans counts on the host")
        return function(*arguments, **(keywords or {}))
