"""The optional packages that run checkpoints, imported only when one is opened."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from concours.eval.errors import UsageError


def require(module: str, extra: str) -> Any:
    """An optional package.

    Raises:
        UsageError: it is not installed, or broken; the message names the extra.
    """
    try:
        return import_module(module)
    except Exception as error:  # a broken torchvision breaks transformers with any exception
        raise UsageError(
            f"{module} cannot be imported ({type(error).__name__}: {error}); "
            f"install it with: pip install 'concours[{extra}]'"
        ) from error


def read_state(path: Path) -> dict[str, Any]:
    """The tensors of a PyTorch checkpoint by name, without running any code that it holds.

    Raises:
        UsageError: it is no checkpoint, damaged, or holds more than tensors and numbers.
    """
    torch = require("torch", "torch")
    import numpy as np

    allowed: list[Any] = [np.dtype, np.dtypes.Float64DType, np.dtypes.Float32DType]
    for home in ("numpy._core.multiarray", "numpy.core.multiarray"):
        try:
            allowed.append((import_module(home).scalar, f"{home}.scalar"))
        except (ImportError, AttributeError):
            continue
    try:
        with torch.serialization.safe_globals(allowed):
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        first = str(error).strip().split("\n")[0]
        raise UsageError(f"{path}: no checkpoint that can be read safely: {first}") from error
    state = found.get("state_dict", found) if isinstance(found, dict) else {}
    tensors = {str(k): v for k, v in state.items() if torch.is_tensor(v)}
    if not tensors:
        raise UsageError(f"{path}: a checkpoint without tensors")
    return tensors
