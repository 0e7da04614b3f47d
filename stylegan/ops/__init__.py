"""Tensor operations of the networks, each as a fast version and an obvious reference twin (`reference`)."""

from stylegan.ops.normalize import adain, adain_, instance_norm, minibatch_std, pixel_norm
from stylegan.ops.resample import blur, conv_downsample, downsample, upsample, upsample_conv

__all__ = [
    "adain",
    "adain_",
    "blur",
    "conv_downsample",
    "downsample",
    "instance_norm",
    "minibatch_std",
    "pixel_norm",
    "upsample",
    "upsample_conv",
]
