"""Solids: rays find their surface, nothing that is seen is left out, and ellipsoids left out are not noticed."""

import math

import pytest
import torch

from stylegan.data.portraits import sample_attributes
from stylegan.data.portraits import surface as module
from stylegan.data.portraits.head import frame, head_solid
from stylegan.data.portraits.regions import Chosen
from stylegan.data.portraits.surface import Blob, log_density, passes_near, solid, trace


def points(side, reach=1.6):
    line = torch.linspace(-reach, reach, side)
    v, u = torch.meshgrid(-line, line, indexing="ij")
    return u.reshape(1, -1), v.reshape(1, -1)


@pytest.fixture
def head():
    a = sample_attributes(0, range(3))
    return head_solid(a, frame(a).rotation)


def test_a_sphere_has_its_closed_form():
    """F = exp(8 (1 − |p|² / r²)): the surface at z² = r² − u² − v², the normal p / r, and log F everywhere."""
    r, turn = 0.9, torch.eye(3)[None]
    s = solid([Blob((0.0, 0.0, 0.0), (r, r, r), 8.0)], [], turn)
    u, v = points(21)
    hit = trace(s, u, v, steps=6)
    inside = u * u + v * v < 0.98 * r * r
    depth = (r * r - u * u - v * v).clamp(min=0.0).sqrt()
    assert (hit.z - depth)[inside].abs().max() < 1e-4
    normal = torch.stack((u, v, depth), dim=1) / r
    assert ((hit.normal - normal).abs().amax(1))[inside].max() < 2e-4
    assert hit.margin[inside].abs().max() < 1e-6
    far = (u * u + v * v).sqrt() - r
    assert (hit.margin < -0.5 * far)[far > 0.05].all()
    z = torch.full_like(u, 0.3)
    expected = 8.0 * (1.0 - (u * u + v * v + 0.09) / r**2)
    close = expected > math.log(1e-20)
    assert torch.allclose(log_density(s, u, v, z)[close], expected[close], atol=1e-4)


def test_a_turned_ellipsoid_is_the_turned_one():
    """The quadratic form of a tilted ellipsoid, in its own axes and in view space."""
    angle = 0.7
    turn = torch.tensor([[math.cos(angle), 0.0, math.sin(angle)], [0.0, 1.0, 0.0], [-math.sin(angle), 0.0, 0.8]])[None]
    turn = torch.linalg.qr(turn)[0]
    s = solid([Blob((0.2, -0.1, 0.3), (0.5, 0.8, 0.3), 3.0)], [], turn)
    p = torch.randn(3, 64, generator=torch.Generator().manual_seed(0)) * 0.4
    own = turn[0].T @ p - torch.tensor([[0.2], [-0.1], [0.3]])
    expected = 3.0 * (1.0 - (own / torch.tensor([[0.5], [0.8], [0.3]])).square().sum(0))
    assert torch.allclose(log_density(s, *(row[None] for row in p))[0], expected.clamp(min=math.log(1e-20)), atol=1e-4)


def test_a_carved_ellipsoid_takes_away():
    turn = torch.eye(3)[None]
    ball = Blob((0.0, 0.0, 0.0), (0.9, 0.9, 0.9), 8.0)
    hollow = solid([ball], [Blob((0.0, 0.0, 0.9), (0.3, 0.3, 0.3), 4.0)], turn)
    u, v = torch.zeros(1, 1), torch.zeros(1, 1)
    assert trace(solid([ball], [], turn), u, v).z - trace(hollow, u, v).z > 0.05


@pytest.mark.parametrize("reach", [0.05, 0.3])
def test_no_ray_that_comes_near_is_left_out(head, reach):
    u, v = (x.expand(3, -1) for x in points(48))
    hit = trace(head, u, v, steps=6)
    near = passes_near(head, u, v, reach)
    told = module._rays(head, u, v).gain.amax(1) > -35.0  # beyond that F is no longer told from 0
    assert near[(hit.margin > -reach) & told].all()
    assert 0.2 < near.float().mean() < 0.9


def test_ellipsoids_that_are_left_out_are_not_noticed(head, monkeypatch):
    u, v = (x.expand(3, -1)[:, 48 * 20 : 48 * 26] for x in points(48))  # a band across the eyes
    rays = module._rays(head, u, v)
    few, _ = module._that_matter(head, rays)
    assert few.sharp.shape[1] < head.sharp.shape[1]
    some = trace(head, u, v)
    monkeypatch.setattr(module, "_FAINT", 1e9)
    every = trace(head, u, v)
    seen = every.margin > -0.1
    assert (some.z - every.z)[seen].abs().max() < 1e-4
    assert (some.normal - every.normal).abs().amax(1)[seen].max() < 1e-4
    assert (some.margin - every.margin)[seen].abs().max() < 1e-5


def test_chosen_points_go_out_and_come_back():
    wanted = torch.tensor([[0, 1, 0, 1, 1], [0, 0, 0, 1, 0], [0, 0, 0, 0, 0]]).bool()
    chosen = Chosen.where(wanted)
    assert chosen.index.tolist() == [[1, 3, 4], [3, 0, 0], [0, 0, 0]]
    x = torch.arange(30.0).reshape(3, 2, 5)
    assert torch.equal(chosen.take(x)[0], x[0][:, [1, 3, 4]])
    y = torch.zeros_like(x)
    chosen.put(y, chosen.take(x))
    back = y == x
    assert back[wanted[:, None].expand_as(x)].all()
    assert torch.equal(chosen.take(x[:, 0]), chosen.take(x)[:, 0])
    assert Chosen.where(torch.zeros(2, 4).bool()).index.shape == (2, 1)
