"""Recorded gradients: a run that replays them is the run that computes them. CUDA's own recording needs a GPU."""

import copy

import pytest
import torch
from tiny_runs import iterate

from stylegan.errors import InputError
from stylegan.training.graphs import Graphs, check
from stylegan.training.trainer import Trainer
from stylegan.training.world import World

ONE = World(torch.device("cpu"))


class ByHand:
    """As a CUDA graph does it: works on the same tensors again, and writes over the first results."""

    def __init__(self):
        self.recorded = 0

    def __call__(self, work, network):
        self.recorded += 1
        network.zero_grad(set_to_none=True)
        reports = work()
        grads = {p: p.grad for p in network.parameters() if p.grad is not None}

        def again():
            network.zero_grad(set_to_none=True)
            for report, new in zip(reports, work(), strict=True):
                report.copy_(new)
            for parameter, grad in grads.items():
                grad.copy_(parameter.grad)

        return reports, again


@pytest.mark.parametrize("options", [{"loss": "logistic", "r1_interval": 3}, {"loss": "wgan-gp"}, {"label_dim": 3}])
def test_replayed_training_is_the_computed_one(tiny, stripes, weights, options):
    """Through growing, fades and batches with and without mixing: 25 iterations of 8 pictures."""
    config = tiny(**options)
    plain, replayed = Trainer(config, ONE), Trainer(config, ONE)
    replayed.graphs = Graphs(config.generator, ByHand())
    data = stripes(label_dim=options.get("label_dim", 0))
    ours, theirs = (iterate(trainer, data, 25) for trainer in (replayed, plain))
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a.generator, b.generator, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(a.discriminator, b.discriminator, rtol=1e-5, atol=1e-6)
    found, expected = weights(replayed), weights(plain)
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-4, atol=1e-6, msg=name)


def test_what_is_recorded_once_serves_while_the_lod_stays(tiny, stripes):
    config = tiny(lod_training_kimg=10, r1_interval=2)
    trainer, capture = Trainer(config, ONE), ByHand()
    trainer.graphs = Graphs(config.generator, capture)
    stats = iterate(trainer, stripes(), 6)
    assert capture.recorded == 3  # the discriminator's with and without R1, the generator's
    kept = copy.deepcopy([s.generator.loss for s in stats])
    iterate(trainer, stripes(), 1)
    assert kept == [s.generator.loss for s in stats]  # a replay leaves earlier reports alone
    assert len({float(loss) for loss in kept}) == 6


@pytest.mark.parametrize(
    ("world", "options", "told"),
    [
        (ONE, {}, "CUDA GPU"),
        (World(torch.device("cuda"), size=2), {}, "one process"),
        (World(torch.device("cuda")), {"precision": "fp16"}, "fp32 or bf16"),
        (World(torch.device("cuda")), {"microbatch": 4}, "without --microbatch"),
    ],
)
def test_what_cannot_be_recorded_is_told(tiny, world, options, told):
    with pytest.raises(InputError, match=told):
        check(tiny(**options), world)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_graphs_replay_what_is_computed(tiny, stripes):
    world = World(torch.device("cuda"))
    config = tiny(lod_training_kimg=10)
    plain, replayed = Trainer(config, world), Trainer(config, world)
    replayed.graphs = Graphs(config.generator)
    for a, b in zip(*(iterate(trainer, stripes(), 4) for trainer in (replayed, plain)), strict=True):
        torch.testing.assert_close(a.discriminator, b.discriminator, rtol=1e-3, atol=1e-4)
