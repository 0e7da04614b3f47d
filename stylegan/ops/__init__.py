"""Tensor operations of the networks, each as a fast version and an obvious reference twin (`reference`)."""

from stylegan.ops.convolution import conv2d, penalised
from stylegan.ops.normalize import adain, adain_, instance_norm, minibatch_std, pixel_norm
from stylegan.ops.resample import blur, conv_downsample, downsample, upsample, upsample_conv

__all__ = [
    "adain",
    "adain_",
    "blur",
    "conv2d",
    "conv_downsample",
    "downsample",
    "instance_norm",
    "minibatch_std",
    "penalised",
    "pixel_norm",
    "upsample",
    "upsample_conv",
]
