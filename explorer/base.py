"""What the page needs of the library below: errors, limits, files. (`explorer.ui` imports nothing of stylegan.)"""

from stylegan.directions import save_directions, write_boundary
from stylegan.errors import InputError, StyleGANError
from stylegan.seeds import MAX_SEED

__all__ = ["MAX_SEED", "InputError", "StyleGANError", "save_directions", "write_boundary"]
