"""Every error a user can cause, as one tree. Each message says what was wrong and how to mend it.

StyleGANError
├── InputError            a wrong argument: shape, dtype, range, seed, layer, option  (also a ValueError)
├── ModelFileError        a model file that cannot be read or written
│   ├── NotAModelError      not a safetensors file of ours, or cut short
│   ├── NewerFormatError    written by a newer version of this project
│   └── WeightsError        tensors missing, of the wrong shape, or not finite
├── ConversionError       an official or third-party file that cannot be converted
│   └── UnsafePickleError   a pickle that asks for anything but arrays and plain containers
├── DataError             training data that cannot be read: folder, zip, labels, cache
├── RunError              a training run or its folder: half written, newer, stopped by a fault
│   ├── DivergedError       losses or weights are no longer finite
│   └── DiskFullError       no space left to write
└── Cancelled             long work was asked to end; nothing is wrong
"""


class StyleGANError(Exception):
    """Base of all errors that name a user's mistake or a fault outside the program."""


class InputError(StyleGANError, ValueError):
    """An argument has the wrong shape, dtype, range or name."""


class ModelFileError(StyleGANError):
    """A model file cannot be read or written."""


class NotAModelError(ModelFileError):
    """The file is not a model of this project, or is cut short."""


class NewerFormatError(ModelFileError):
    """The file was written by a newer version of this project."""


class WeightsError(ModelFileError):
    """Tensors are missing, have the wrong shape, or are not finite."""


class ConversionError(StyleGANError):
    """An official or third-party file cannot be converted."""


class UnsafePickleError(ConversionError):
    """A pickle asks for something other than arrays and plain containers."""


class DataError(StyleGANError):
    """Training data cannot be read."""


class RunError(StyleGANError):
    """A training run, or its folder, is not usable."""


class DivergedError(RunError):
    """Losses or weights are no longer finite."""


class DiskFullError(RunError):
    """There is no space left to write."""


class Cancelled(StyleGANError):
    """Long work was asked to end between two of its steps."""
