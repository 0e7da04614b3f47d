"""The public face of the package, and what importing it does not do."""

import json
import subprocess
import sys
from pathlib import Path

import stylegan

PUBLIC = [
    "About",
    "Discriminator",
    "DiscriminatorConfig",
    "Generator",
    "GeneratorConfig",
    "StyleGANError",
    "convert",
    "from_uint8",
    "generator_preset",
    "grid",
    "load",
    "load_discriminator",
    "save",
    "seeds_to_z",
    "to_uint8",
]
PROBE = """
import json, sys, torch
before = torch.get_rng_state(), torch.get_num_threads(), set(sys.modules)
import stylegan
state, threads, modules = before
print(json.dumps({
    "modules": sorted(set(sys.modules) - modules),
    "untouched": torch.equal(state, torch.get_rng_state()) and threads == torch.get_num_threads(),
    "cuda": torch.cuda.is_initialized(),
}))
"""


def test_all_is_pinned():
    assert stylegan.__all__ == PUBLIC
    assert all(getattr(stylegan, name).__doc__ for name in PUBLIC)


def test_importing_does_nothing():
    """No interface, no plotting or learning library, no device, no change of global state."""
    root = Path(__file__).parents[2]
    out = subprocess.run([sys.executable, "-c", PROBE], cwd=root, capture_output=True, text=True, check=True)
    found = json.loads(out.stdout)
    assert found["untouched"]
    assert not found["cuda"]
    loaded = {name.split(".")[0] for name in found["modules"]}
    assert "stylegan" in loaded
    assert not loaded & {"gradio", "explorer", "sklearn", "scipy", "plotly", "imageio", "typer", "PIL"}


def test_the_errors_are_one_tree():
    from stylegan import errors

    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert all(issubclass(kind, errors.StyleGANError) and kind.__doc__ for kind in kinds)
    drawn = errors.__doc__ or ""
    assert all(kind.__name__ in drawn for kind in kinds)
    assert issubclass(errors.InputError, ValueError)
