"""What the page needs of the library below: errors and limits. (`explorer.ui` itself imports nothing of stylegan.)"""

from stylegan.errors import InputError, StyleGANError
from stylegan.seeds import MAX_SEED

__all__ = ["MAX_SEED", "InputError", "StyleGANError"]
