"""The --device option, the same for every command."""

from typing import TYPE_CHECKING

from stylegan.errors import InputError

if TYPE_CHECKING:
    import torch

HELP = "Where to compute: auto (a GPU where there is one), cpu, cuda, cuda:1, …"


def chosen_device(name: str) -> "torch.device":
    """The device called `name`, or InputError if this machine has none of that name."""
    import torch

    has_cuda = torch.cuda.is_available()
    if name == "auto":
        return torch.device("cuda" if has_cuda else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InputError(f"--device is auto, cpu, cuda or cuda:N, not {name!r}.") from None
    if device.type not in ("cpu", "cuda"):
        raise InputError(f"--device is auto, cpu, cuda or cuda:N, not {name!r}.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise InputError(f"This machine has {torch.cuda.device_count() or 'no'} CUDA devices: {name!r} is none.")
    return device
