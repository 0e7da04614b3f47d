"""The head and neck as a solid, and the frame it sits in: pose, scale and place of the head in the picture."""

from dataclasses import dataclass

import torch
from torch import Tensor

from stylegan.data.portraits.attributes import PortraitAttributes
from stylegan.data.portraits.surface import Blob, Solid, solid

SCALE = 0.72  # half a head's height, in half pictures
EYE_X, EYE_Y, EYE_Z = 0.295, 0.03, 0.50  # centre of the eyeballs in the head's frame
MOUTH_Y = -0.475


@dataclass(frozen=True)
class Frame:
    """How the head's frame lies in view space."""

    rotation: Tensor  # [N, 3, 3], head → view
    body: Tensor  # [N, 3, 3], torso → view
    shift: Tensor  # [N, 2], place of the head's centre in the picture, in head units
    light: Tensor  # [N, 3], unit vector towards the main light, view space

    def to_head(self, u: Tensor, v: Tensor, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """View-space points `[N, P]` → the head's own coordinates."""
        return _apply(self.rotation.transpose(1, 2), u, v, z)

    def to_view(self, x: Tensor, y: Tensor, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The head's own coordinates `[N, P]` → view space."""
        return _apply(self.rotation, x, y, z)


def _apply(rotation: Tensor, x: Tensor, y: Tensor, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    r = rotation[..., None]
    return (
        r[:, 0, 0] * x + r[:, 0, 1] * y + r[:, 0, 2] * z,
        r[:, 1, 0] * x + r[:, 1, 1] * y + r[:, 1, 2] * z,
        r[:, 2, 0] * x + r[:, 2, 1] * y + r[:, 2, 2] * z,
    )


def rotation(yaw_deg: Tensor, pitch_deg: Tensor) -> Tensor:
    """Head → view, `[N, 3, 3]`: pitch about x first (up is positive), then yaw about y (to the right is positive)."""
    yaw, pitch = torch.deg2rad(yaw_deg), torch.deg2rad(pitch_deg)
    cy, sy, cp, sp = yaw.cos(), yaw.sin(), pitch.cos(), pitch.sin()
    zero = torch.zeros_like(cy)
    rows = (cy, -sy * sp, sy * cp, zero, cp, sp, -sy, -cy * sp, cy * cp)
    return torch.stack(rows, dim=1).reshape(-1, 3, 3)


def frame(a: PortraitAttributes) -> Frame:
    """Pose and light. The head moves against its turn, so that the eyes keep their place in the picture."""
    r = rotation(a.yaw, a.pitch)
    middle = torch.stack((r[:, 0, 2] * 0.42, r[:, 1, 2] * 0.45), dim=1)
    shift = -middle
    azimuth = torch.deg2rad(a.light_direction)  # at an elevation of 37°, of cosine 0.8 and sine 0.6
    light = torch.stack((0.8 * azimuth.sin(), torch.full_like(azimuth, 0.6), 0.8 * azimuth.cos()), dim=1)
    return Frame(r, rotation(0.35 * a.yaw, torch.zeros_like(a.pitch)), shift, light)


def head_solid(a: PortraitAttributes, rot: Tensor) -> Solid:
    """Skull, face, nose, lips, ears and neck of every portrait, in view space."""
    wide = 1.0 + 0.05 * a.face_width
    old, soft = a.age, a.softness
    jaw_w = 0.05 * a.jaw - 0.05 * (soft - 0.5)
    drop = 0.07 * a.mouth_open
    chin_y = -0.77 - 0.04 * a.chin - drop
    hairy = 0.05 * (a.beard - 0.3).clamp(min=0.0)
    cheek = 0.03 * a.cheeks + 0.02 * a.smile.clamp(min=0.0)
    nose_y = -0.19 - 0.04 * a.nose_length - 0.01 * old
    nose_w = 0.96 + 0.20 * a.nose_width - 0.16 * (soft - 0.5)
    ear = 1.0 + 0.15 * a.ear_size + 0.1 * old
    ear_x = 0.755 * wide
    eye = 1.0 + 0.08 * a.eye_size
    full = 1.0 + 0.25 * a.lip_fullness
    parts = [
        Blob((0.0, 0.29, -0.12), (0.735 * wide, 0.76, 0.83), 9.0),
        Blob((0.0, 0.34, 0.24), (0.58 * wide, 0.44, 0.46), 5.0),
        Blob((0.0, -0.20, 0.08), (0.57 * wide, 0.66, 0.60), 7.0),
        Blob((0.0, chin_y, 0.36), (0.21 + 0.6 * jaw_w + hairy, 0.16 + hairy, 0.21 + hairy), 1.3),
        *Blob((0.22 + jaw_w, -0.53 - 0.5 * drop, 0.10), (0.23 + hairy, 0.23 + hairy, 0.34), 2.5).mirrored(),
        *Blob((0.34 * wide, -0.22, 0.40), (0.20 + cheek, 0.19 + 0.5 * cheek, 0.18 + cheek), 1.5).mirrored(),
        Blob((0.0, -0.44, 0.45), (0.29, 0.21, 0.21), 1.2),
        *Blob((0.25, 0.235, 0.54), (0.26, 0.10, 0.14 + 0.03 * (1.0 - soft)), 1.0).mirrored(),
        *Blob((EYE_X, EYE_Y, EYE_Z), (0.20 * eye, 0.185 * eye, 0.20 * eye), 2.5).mirrored(),
        Blob((0.0, 0.04, 0.66), (0.09 * nose_w, 0.25, 0.13), 1.2),
        Blob((0.0, nose_y, 0.80), (0.112 * nose_w, 0.095, 0.125), 1.6),
        *Blob((0.105 * nose_w, nose_y - 0.015, 0.72), (0.070 * nose_w, 0.058, 0.08), 1.1).mirrored(),
        Blob((0.0, MOUTH_Y + 0.045 + 0.3 * drop, 0.66), (0.20, 0.05 * full, 0.065), 0.45),
        Blob((0.0, MOUTH_Y - 0.06 - 0.7 * drop, 0.64), (0.17, 0.055 * full, 0.065), 0.5),
        *Blob((ear_x, 0.0, -0.12), (0.05 * ear, 0.165 * ear, 0.115 * ear), 3.0, -0.16).mirrored(),
        *Blob((ear_x - 0.035, -0.14 * ear, -0.08), (0.04, 0.05, 0.06), 2.0).mirrored(),
        Blob((0.0, -1.05, -0.20), (0.37 - 0.05 * soft + jaw_w, 0.90, 0.34), 5.0),
    ]
    carved = [
        *Blob((0.275, 0.06, 0.84), (0.20, 0.14, 0.18), 1.5).mirrored(),
        *Blob((ear_x + 0.06, 0.02, -0.03), (0.045, 0.11, 0.07), 2.0).mirrored(),
    ]
    return solid(parts, carved, rot)
