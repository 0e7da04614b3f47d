"""One iteration and the forward pass: parts of a minibatch, averaging, growing, beginnings, precisions."""

import copy
from dataclasses import replace

import pytest
import torch
from tiny_runs import iterate

from stylegan.config import DiscriminatorConfig, GeneratorConfig
from stylegan.errors import InputError
from stylegan.networks import Discriminator, Generator
from stylegan.training import ema
from stylegan.training.samples import sample_pictures
from stylegan.training.trainer import Trainer
from stylegan.training.world import World

ONE = World(torch.device("cpu"))


@pytest.mark.parametrize("loss", ["logistic", "wgan-gp"])
def test_parts_of_a_minibatch_add_up(tiny, stripes, loss):
    """With no minibatch statistics, parts make the same step as the whole, to rounding."""
    config = tiny(loss=loss)
    config = replace(config, discriminator=replace(config.discriminator, mbstd_group_size=1))
    whole, parts = Trainer(config, ONE), Trainer(replace(config, microbatch=3), ONE)
    one, other = (iterate(trainer, stripes(), 1)[0] for trainer in (whole, parts))
    for a, b in zip((*one.generator, *one.discriminator), (*other.generator, *other.discriminator), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(whole.G.w_mean, parts.G.w_mean)
    for adam, twin in ((whole.d_adam, parts.d_adam), (whole.g_adam, parts.g_adam)):
        moments = twin.second_moments()
        for i, moment in adam.second_moments().items():
            torch.testing.assert_close(moment, moments[i], rtol=2e-3, atol=1e-8)


def test_lazy_r1_is_as_strong_as_it_is_rare(tiny, stripes):
    """Where only the penalty pulls, R1 in every third step leaves the same sum of gradients as in each."""
    lazy = Trainer(tiny(r1_interval=3), ONE)
    stats = iterate(lazy, stripes(), 4)
    assert [s.regularized for s in stats] == [True, False, False, True]
    assert stats[0].discriminator.penalty > 0
    assert stats[1].discriminator.penalty == 0
    always, thrice = Trainer(tiny(r1_interval=1), ONE), Trainer(tiny(r1_interval=3), ONE)
    forwards = [copy.copy(t.forward) for t in (always, thrice)]
    for trainer, forward in zip((always, thrice), forwards, strict=True):
        found = forward.discriminator_loss
        # Keep the penalty alone.
        trainer.forward.discriminator_loss = lambda *args, found=found: _only_penalty(found(*args))
        iterate(trainer, stripes(), 1)
    a, b = always.d_adam.second_moments(), thrice.d_adam.second_moments()
    largest = max(a, key=lambda i: float(a[i].max()))
    torch.testing.assert_close(9 * a[largest], b[largest])  # moments are squares


def _only_penalty(found):
    return found._replace(loss=found.loss * 0)


def test_optimisers_are_reset_where_layers_change(tiny, stripes):
    trainer = Trainer(tiny(), ONE)  # fades from image 60 to 120; minibatch 8
    steps, lods = [], []
    for _ in range(18):
        iterate(trainer, stripes(), 1)
        steps.append(trainer.g_adam.steps)
        lods.append(trainer.last_lod)
    begins = [i for i in range(18) if steps[i] == 1]
    assert begins == [0, next(i for i in range(18) if lods[i] < 1), next(i for i in range(18) if lods[i] == 0)]
    assert trainer.G.lod == trainer.Gs.lod == trainer.D.lod == 0


def test_layers_at_rest_keep_their_weights(tiny, stripes):
    trainer = Trainer(tiny(lod_training_kimg=10), ONE)
    before = copy.deepcopy(trainer.G.state_dict())
    iterate(trainer, stripes(), 2)  # at 8²
    after = trainer.G.state_dict()
    finest = [name for name in before if name.startswith(("synth.layers.4", "synth.layers.5", "synth.to_rgb.2"))]
    assert finest
    assert all(torch.equal(before[name], after[name]) for name in finest)
    assert not torch.equal(before["synth.layers.3.conv.weight"], after["synth.layers.3.conv.weight"])


def test_average_lags_and_copies_buffers(tiny, stripes):
    config = tiny(ema_kimg=0.008)  # one minibatch is one half-life
    trainer = Trainer(config, ONE)
    start = copy.deepcopy(trainer.Gs.synth.const)
    iterate(trainer, stripes(), 1)
    assert torch.equal(trainer.Gs.synth.const, start)  # the average is taken before the generator's first step
    after_one = trainer.G.synth.const.detach().clone()
    iterate(trainer, stripes(), 1)
    torch.testing.assert_close(trainer.Gs.synth.const, (start + after_one) / 2)
    assert not trainer.Gs.training
    assert not any(p.requires_grad for p in trainer.Gs.parameters())


def test_noise_strengths_learn_at_a_rate_of_their_own(tiny, stripes):
    trainers = [Trainer(tiny(noise_rate=rate), ONE) for rate in (1.0, 0.25, 0.0)]
    for trainer in trainers:
        iterate(trainer, stripes(), 1)
    full, quarter, none = (dict(trainer.G.named_parameters()) for trainer in trainers)
    moved = [name for name in full if name.endswith(".noise_strength") and full[name].abs().sum()]
    assert moved
    for name, parameter in full.items():
        if name in moved:  # they begin at 0
            torch.testing.assert_close(quarter[name], parameter / 4, rtol=1e-4, atol=1e-8)
            assert not none[name].any()
        else:
            assert torch.equal(quarter[name], parameter)


def test_ema_beta():
    assert ema.ema_beta(32, 10**6, 10.0, None) == 0.5 ** (32 / 10_000)
    assert ema.ema_beta(32, 1000, 10.0, 0.05) == 0.5 ** (32 / 50)
    assert ema.ema_beta(32, 0, 10.0, 0.05) == 0.0
    assert ema.ema_beta(32, 10**6, 0.0, None) == 0.0


def test_sample_pictures_follow_the_average(tiny, stripes):
    """Weights are prepared once in eval mode; an update in place must not leave old ones behind."""
    trainer = Trainer(tiny(ema_kimg=0.004), ONE)
    iterate(trainer, stripes(), 1)
    first = sample_pictures(trainer.Gs)
    assert torch.equal(first, sample_pictures(trainer.Gs))
    iterate(trainer, stripes(), 2)
    second = sample_pictures(trainer.Gs)
    assert not torch.equal(first, second)
    fresh = Generator(trainer.config.generator, seed=None)
    fresh.load_state_dict(trainer.Gs.state_dict())
    fresh.lod = trainer.Gs.lod
    torch.testing.assert_close(second, sample_pictures(fresh.eval()))


def test_classes_are_trained_and_take_turns_in_samples(tiny, stripes):
    trainer = Trainer(tiny(label_dim=3), ONE)
    before = trainer.G.map.embed.detach().clone()
    iterate(trainer, stripes(label_dim=3), 2)
    assert not torch.equal(before, trainer.G.map.embed)
    assert sample_pictures(trainer.Gs).shape == (32, 3, 16, 16)


def test_the_global_generator_is_left_alone(tiny, stripes):
    before = torch.get_rng_state()
    iterate(Trainer(tiny(), ONE), stripes(), 2)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("loss", ["logistic", "wgan-gp"])
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_lower_precision_stays_near(tiny, stripes, precision, loss):
    exact, lower = Trainer(tiny(loss=loss), ONE), Trainer(tiny(loss=loss, precision=precision), ONE)
    a, b = iterate(exact, stripes(), 1)[0], iterate(lower, stripes(), 1)[0]
    tolerance = {"rtol": 0.1, "atol": 0.03}
    torch.testing.assert_close(b.discriminator.loss, a.discriminator.loss, **tolerance)
    torch.testing.assert_close(b.discriminator.penalty, a.discriminator.penalty, **tolerance)
    assert all(p.dtype == torch.float32 for p in lower.G.parameters())
    stats = iterate(lower, stripes(), 5)
    assert all(torch.isfinite(s.generator.loss) and torch.isfinite(s.discriminator.loss) for s in stats)
    assert sum(s.skipped for s in stats) == 0


@pytest.mark.filterwarnings("ignore:The .grad attribute")  # torch's own tracer looks at it
def test_compiled_networks_compute_the_same(tiny, stripes, monkeypatch):
    """With the tracing of torch.compile but not its code generator, which wants a C++ compiler."""
    compiled, found = torch.compile, []

    def compile_lightly(function, **options):
        found.append(function)
        return compiled(function, backend="aot_eager", fullgraph=True, **options)

    monkeypatch.setattr(torch, "compile", compile_lightly)
    config = tiny(initial_resolution=16)
    plain, other = Trainer(config, ONE), Trainer(config, ONE, compiles=True)
    for a, b in zip(iterate(plain, stripes(), 2), iterate(other, stripes(), 2), strict=True):
        torch.testing.assert_close(a.generator.loss, b.generator.loss, rtol=1e-4, atol=1e-5)
    assert found == [other.G.synth, other.D]  # once
    torch.compiler.reset()


def _networks(resolution, lod=0.0, **overrides):
    shared = {"resolution": resolution, "fmap_base": 64, "fmap_max": 8, **overrides}
    G = Generator(GeneratorConfig(**shared, z_dim=8, w_dim=8, mapping_fmaps=8, mapping_layers=2), seed=5)
    D = Discriminator(DiscriminatorConfig(**shared), seed=6)
    G.lod = D.lod = lod
    return G, D


def test_a_run_from_a_smaller_model_shows_what_that_showed(tiny):
    G, D = _networks(8)
    trainer = Trainer(tiny(resolution=32), ONE)
    trainer.begin_from(G, D)
    z = torch.randn(2, 8, generator=torch.Generator().manual_seed(0))
    small = G.synthesis(G.mapping(z), noise="none")
    large = trainer.Gs.synthesis(trainer.Gs.mapping(z), noise="none", lod=2.0, full_size=False)
    torch.testing.assert_close(large, small)
    torch.testing.assert_close(trainer.D(small, lod=2.0), D(small))
    fresh = Trainer(tiny(resolution=32), ONE)
    assert torch.equal(trainer.G.synth.layers[7].conv.weight, fresh.G.synth.layers[7].conv.weight)


def test_a_run_from_a_model_of_its_own_size(tiny):
    G, D = _networks(16)
    trainer = Trainer(tiny(), ONE)
    trainer.begin_from(G, D)
    for ours, theirs in ((trainer.G, G), (trainer.Gs, G), (trainer.D, D)):
        assert all(
            torch.equal(a, b) for a, b in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True)
        )


def test_other_layers_are_refused(tiny):
    with pytest.raises(InputError, match=r"has other layers: its .* is \[\d"):
        Trainer(tiny(), ONE).begin_from(*_networks(16, fmap_max=4))


def test_a_minibatch_that_processes_cannot_share_is_refused_before_training(tiny):
    with pytest.raises(InputError, match="cannot be shared evenly by 3 processes"):
        Trainer(tiny(), World(torch.device("cpu"), rank=1, size=3))
