"""The recipe that drew the weights behind the golden files: each value depends on the name, the shape and a seed."""

import re
import zlib
from functools import partial

import numpy as np


def normal(name, shape, seed):
    """float32 standard normals that depend only on (name, shape, seed)."""
    s = (zlib.crc32(name.encode("utf-8")) + 1000003 * seed) % (2**32)
    return np.asarray(np.random.RandomState(s).standard_normal(tuple(shape)), dtype=np.float32)


def sg1_value(name, shape, seed):
    """Recipe for every StyleGAN1 variable; `name` is the local TF name in Gs.vars / D.vars."""
    n = partial(normal, name, shape, seed)
    leaf = name.split("/")[-1]
    if leaf == "lod":
        return np.float32(0)
    if leaf == "dlatent_avg":
        return np.float32(0.3) * n() + np.float32(0.1)
    if re.fullmatch(r"noise\d+", leaf):
        return n()
    if leaf == "const":
        return np.float32(1) + np.float32(0.5) * n()
    if name.startswith("G_mapping/Dense"):
        return (np.float32(100) if leaf == "weight" else np.float32(10)) * n()
    if name.endswith("Noise/weight"):
        return np.float32(0.3) * n()
    if leaf == "weight":
        return n()
    if leaf == "bias":
        return np.float32(0.2) * n()
    raise KeyError(name)


def sg2_value(name, shape, seed):
    """Recipe for every StyleGAN2 (TF) variable."""
    n = partial(normal, name, shape, seed)
    leaf = name.split("/")[-1]
    if leaf == "lod":
        return np.float32(0)
    if leaf == "dlatent_avg":
        return np.float32(0.3) * n() + np.float32(0.1)
    if re.fullmatch(r"noise\d+", leaf) or leaf == "const":
        return n()
    if leaf == "noise_strength":
        return np.float32(0.3) * n()
    if name.startswith("G_mapping/Dense"):
        return (np.float32(100) if leaf == "weight" else np.float32(10)) * n()
    if leaf in ("weight", "mod_weight"):
        return n()
    if leaf in ("bias", "mod_bias"):
        return np.float32(0.2) * n()
    raise KeyError(name)


def latents(n, dim, seed=123):
    return np.random.RandomState(seed).standard_normal((n, dim)).astype(np.float32)


def images(n, res, seed=456, ch=3):
    """Smooth-ish images in [-1,1]: random 4x4 colour field upsampled (nearest) + pixel noise."""
    r = np.random.RandomState(seed)
    lo = r.uniform(-0.8, 0.8, (n, ch, 4, 4)).repeat(res // 4, 2).repeat(res // 4, 3)
    hi = r.normal(0, 0.2, (n, ch, res, res))
    return np.clip(lo + hi, -1, 1).astype(np.float32)


def onehot(n, k, seed=789):
    lab = np.zeros((n, k), np.float32)
    if k:
        lab[np.arange(n), np.random.RandomState(seed).randint(k, size=n)] = 1
    return lab
