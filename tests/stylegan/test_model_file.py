"""Model files: round trips, digests, and every way in which a file can be wrong."""

import json
import struct

import pytest
import torch
from lively_generators import TINY, draw_w, lively
from safetensors.torch import load_file, save_file

import stylegan
from stylegan import About, Discriminator, DiscriminatorConfig, Generator, GeneratorConfig, generator_preset, model_file
from stylegan.errors import (
    InputError,
    ModelFileError,
    NewerFormatError,
    NotAModelError,
    StyleGANError,
    WeightsError,
)
from stylegan.model_file import MAX_METADATA_BYTES, METADATA_KEY, load_discriminator, load_generator, read_header, save

ABOUT = About("Tests", "CC0", "Small – ψ", {"kimg": 12.5, "data": "none", "steps": [1, 2], "more": {"a": None}})


@pytest.fixture(scope="module")
def G():
    G = lively(Generator(GeneratorConfig(**TINY, mapping_layers=2, label_dim=2)))
    G.lod = 0.25
    return G


@pytest.fixture(scope="module")
def D():
    return Discriminator(DiscriminatorConfig(resolution=16, fmap_base=64, fmap_max=8, label_dim=2), seed=3)


@pytest.fixture
def path(G, tmp_path):
    save(G, tmp_path / "tiny.safetensors", ABOUT)
    return tmp_path / "tiny.safetensors"


def rewrite(path, change=lambda metadata: None, tensors=None, raw=None):
    """Write the file again with changed metadata, tensors, or metadata text."""
    state = load_file(path)
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    metadata = json.loads(header["__metadata__"][METADATA_KEY])
    change(metadata)
    if tensors is not None:
        tensors(state)
    save_file(state, path, metadata={METADATA_KEY: json.dumps(metadata) if raw is None else raw})


class TestRoundTrip:
    def test_generator(self, G, path):
        loaded = load_generator(path)
        assert loaded.config == G.config
        assert (loaded.lod, loaded.about) == (0.25, ABOUT)
        assert not loaded.training
        assert not any(p.requires_grad for p in loaded.parameters())
        state = loaded.state_dict()
        assert all(torch.equal(state[name], tensor) for name, tensor in G.state_dict().items())
        assert state.keys() == G.state_dict().keys()
        w = draw_w(G)
        assert torch.equal(loaded.synthesis(w), G.synthesis(w))

    def test_discriminator(self, D, tmp_path):
        digest = save(D, tmp_path / "d.safetensors")
        loaded = load_discriminator(tmp_path / "d.safetensors")
        assert loaded.config == D.config
        assert loaded.digest == digest
        x = torch.randn(2, 3, 16, 16)
        assert torch.equal(loaded(x, torch.eye(2)), D(x, torch.eye(2)))

    def test_through_the_public_names(self, G, D, tmp_path):
        digest = stylegan.save(G, str(tmp_path / "g.safetensors"))
        stylegan.save(D, tmp_path / "g.discriminator.safetensors")
        assert stylegan.load(str(tmp_path / "g.safetensors"), device="cpu").digest == digest
        assert stylegan.load_discriminator(tmp_path / "g.discriminator.safetensors").config == D.config

    @pytest.mark.parametrize("preset", "bcdef")
    def test_every_configuration(self, preset, tmp_path):
        layers = 0 if preset == "b" else 1
        G = lively(Generator(generator_preset(preset, **TINY, mapping_layers=layers)))
        save(G, tmp_path / "x.safetensors")
        w = draw_w(G)
        assert torch.equal(load_generator(tmp_path / "x.safetensors").synthesis(w), G.synthesis(w))

    def test_what_is_known_of_a_model_stays_with_it(self, path, tmp_path):
        save(load_generator(path), tmp_path / "again.safetensors")
        assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()

    def test_header(self, G, path):
        header = read_header(path)
        assert (header.kind, header.config, header.lod, header.about) == ("generator", G.config, 0.25, ABOUT)

    def test_other_precisions_are_stored_as_float32(self, G, path, tmp_path):
        assert save(load_generator(path).double(), tmp_path / "x.safetensors") == load_generator(path).digest
        assert all(t.dtype == torch.float32 for t in load_file(tmp_path / "x.safetensors").values())

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
    def test_other_precisions_are_read_as_float32(self, path, dtype):
        def convert(state):
            state |= {name: tensor.to(dtype) for name, tensor in state.items()}

        rewrite(path, tensors=convert)
        assert all(p.dtype == torch.float32 for p in load_generator(path).parameters())

    def test_loaded_weights_are_their_own(self, path):
        """Neither a view of the file nor fit for inference only, whatever mode it was loaded in."""
        with torch.inference_mode():
            G = load_generator(path)
        path.write_bytes(b"")
        assert not any(p.is_inference() for p in G.parameters())
        G.requires_grad_(True)
        G.synthesis(draw_w(G)).mean().backward()

    def test_saving_changes_nothing(self, G, D, tmp_path):
        before = {name: tensor.clone() for name, tensor in G.state_dict().items()}
        save(G, tmp_path / "x.safetensors", ABOUT)
        assert all(torch.equal(before[name], tensor) for name, tensor in G.state_dict().items())
        assert G.about is None

    def test_files_are_the_same_each_time(self, G, path, tmp_path):
        save(G, tmp_path / "x.safetensors", ABOUT)
        assert (tmp_path / "x.safetensors").read_bytes() == path.read_bytes()


class TestDigest:
    def test_name_and_description_keep_it(self, G, path, tmp_path):
        digest = load_generator(path).digest
        assert len(digest) == 64
        assert save(G, tmp_path / "other.safetensors", About("Another name")) == digest
        assert load_generator(tmp_path / "other.safetensors").digest == digest

    @pytest.mark.parametrize(
        "name", ["w_mean", "synth.const", "synth.layers.3.noise", "map.layers.1.bias", "map.embed"]
    )
    def test_any_weight_changes_it(self, G, path, name):
        digest = load_generator(path).digest
        rewrite(path, tensors=lambda state: state[name].view(-1)[-1:].add_(1e-3))
        assert load_generator(path).digest != digest

    def test_lod_and_config_change_it(self, path):
        seen = {load_generator(path).digest}
        for change in (
            lambda m: m.update(lod=0.5),
            lambda m: m["config"].update(nonlinearity="relu"),
            lambda m: m["config"].update(blur_filter=[1, 3, 1]),
        ):
            rewrite(path, change)
            seen.add(load_generator(path).digest)
        assert len(seen) == 4

    def test_it_is_pinned(self):
        """Recipes name models by their digest: it may not change from one version to the next."""
        G = Generator(GeneratorConfig(resolution=8, fmap_max=1, z_dim=1, w_dim=1, mapping_fmaps=1), seed=None)
        for tensor in G.state_dict().values():
            tensor.fill_(0.5)
        assert (
            model_file._digest(G, G.state_dict()) == "f84e5cbca5c65becb7ed51114cbdc71b6c65ea0c4ca160b5659d40081e7d5dbc"
        )


class TestWrongFiles:
    def refused(self, path, error, sentence):
        with pytest.raises(error, match=sentence) as caught:
            load_generator(path)
        assert path.name in str(caught.value)
        assert "\n" not in str(caught.value)
        with pytest.raises(StyleGANError):  # what is no safetensors at all is tried as an official file
            stylegan.load(path)

    def test_nothing_there(self, tmp_path):
        for missing in (tmp_path / "none.safetensors", tmp_path):
            with pytest.raises(NotAModelError, match="There is no file"):
                load_generator(missing)

    def test_not_even_safetensors(self, tmp_path):
        path = tmp_path / "text.safetensors"
        for content in (b"", b"hello", b"\xff" * 64, b"PK\x03\x04" + b"\0" * 100, struct.pack("<Q", 1 << 40) + b"{}"):
            path.write_bytes(content)
            self.refused(path, NotAModelError, "is not a whole safetensors file")

    def test_cut_short_anywhere(self, path):
        whole = path.read_bytes()
        header = 8 + struct.unpack("<Q", whole[:8])[0]
        for length in (0, 1, 7, 8, 9, header // 2, header - 1, header, header + 1, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:length])
            self.refused(path, NotAModelError, "is not a whole safetensors file")

    def test_too_long(self, path):
        path.write_bytes(path.read_bytes() + b"\0")
        self.refused(path, NotAModelError, "is not a whole safetensors file")

    def test_somebody_elses(self, path):
        save_file({"weight": torch.zeros(2)}, path, metadata={"format": "pt"})
        self.refused(path, NotAModelError, "is a safetensors file, but not a model of this project")
        save_file({"weight": torch.zeros(2)}, path)
        self.refused(path, NotAModelError, "is a safetensors file, but not a model of this project")

    def test_newer(self, path):
        rewrite(path, lambda m: m.update(format=2, kind="hologram", config=None))
        self.refused(path, NewerFormatError, "has format 2; this version reads up to 1. Update this project")

    @pytest.mark.parametrize("version", [0, -1, None, "1", 1.0, True, [1]])
    def test_versions_that_never_were(self, path, version):
        rewrite(path, lambda m: m.update(format=version))
        self.refused(path, NotAModelError, "metadata is damaged")

    def test_the_other_kind(self, G, D, path, tmp_path):
        save(D, tmp_path / "d.safetensors")
        self.refused(tmp_path / "d.safetensors", NotAModelError, "holds a discriminator, not a generator")
        with pytest.raises(NotAModelError, match="holds a generator, not a discriminator"):
            load_discriminator(path)
        rewrite(path, lambda m: m.update(kind="dataset"))
        self.refused(path, NotAModelError, "kind 'dataset' is unknown")

    @pytest.mark.parametrize(
        "raw",
        [
            *(
                "",
                "null",
                "[]",
                "5",
                '"text"',
                "{",
                "\0",
                "{" * 5000,
                "[" * 200_000,
                '{"format": 1}',
                '{"format": 1e999}',
            ),
            '{"format": 1, "kind": "generator", "config": {}, "lod": 0, "about": null}',
        ],
        ids=lambda raw: raw[:12],
    )
    def test_damaged_metadata(self, path, raw):
        rewrite(path, raw=raw)
        self.refused(path, NotAModelError, "metadata is damaged")

    @pytest.mark.parametrize(
        "change",
        [
            lambda m: m.pop("kind"),
            lambda m: m.pop("config"),
            lambda m: m.pop("lod"),
            lambda m: m.pop("about"),
            lambda m: m.update(config=[]),
            lambda m: m.update(about=[]),
            lambda m: m["about"].update(training=5),
            lambda m: m["config"].update(surprise=1),
            lambda m: m["config"].update(resolution=17),
            lambda m: m["config"].update(architecture="stylegan9"),
            lambda m: m["config"].update(blur_filter="121"),
            lambda m: m["config"].update(fmap_decay=10**400),
            lambda m: m.update(lod=-1),
            lambda m: m.update(lod=3),
            lambda m: m.update(lod=float("nan")),
            lambda m: m.update(lod=10**400),
            lambda m: m.update(lod="much"),
            lambda m: m.update(lod=None),
        ],
    )
    def test_wrong_values(self, path, change):
        rewrite(path, change)
        self.refused(path, NotAModelError, "metadata is damaged")

    def test_huge_metadata(self, path):
        rewrite(path, lambda m: m["about"].update(description="x" * MAX_METADATA_BYTES))
        self.refused(path, NotAModelError, "metadata is larger than 4 MiB")

    def test_a_config_without_its_weights(self, path):
        """A hostile config may describe terabytes: it is held against the file before anything is allocated."""
        rewrite(path, lambda m: m["config"].update(fmap_base=1 << 20, fmap_max=1 << 20, w_dim=1 << 16))
        self.refused(path, WeightsError, "its config asks for float")

    @pytest.mark.parametrize(
        ("tensors", "sentence"),
        [
            (lambda s: s.pop("w_mean"), r"it lacks 1 tensors, such as w_mean\."),
            (lambda s: s.update(extra=torch.zeros(1)), r"it holds 1 that do not belong, such as extra\."),
            (lambda s: s.update({"x" * 500: s.pop("w_mean")}), "lacks 1 .* and holds 1"),
            (lambda s: s.update(w_mean=torch.zeros(17)), r"w_mean is float32 \[17\]; its config asks for float \[16\]"),
            (lambda s: s.update(w_mean=torch.zeros(16, 1)), r"w_mean is float32 \[16, 1\]"),
            (lambda s: s.update(w_mean=torch.zeros(16).int()), r"w_mean is int32 \[16\]"),
            (lambda s: s.update(w_mean=torch.zeros(16).to(torch.float8_e4m3fn)), r"w_mean is float8_e4m3fn \[16\]"),
            (lambda s: s["w_mean"][3:4].fill_(torch.nan), "w_mean holds values that are not finite"),
            (lambda s: s["synth.layers.1.conv.weight"].view(-1)[-1:].fill_(-torch.inf), "not finite"),
            (lambda s: s.update(w_mean=torch.full((16,), 1e300, dtype=torch.float64)), "not finite"),
        ],
    )
    def test_weights_that_do_not_fit(self, path, tensors, sentence):
        rewrite(path, tensors=tensors)
        self.refused(path, WeightsError, sentence)

    def test_every_flipped_byte_is_refused_or_harmless(self, path):
        """Bytes of the header at random: an error of ours, or a model; nothing else."""
        whole = path.read_bytes()
        header = 8 + struct.unpack("<Q", whole[:8])[0]
        rng = torch.Generator().manual_seed(0)
        refused = 0
        for position in torch.randint(header, (150,), generator=rng).tolist():
            path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x15]) + whole[position + 1 :])
            try:
                load_generator(path)
            except ModelFileError:
                refused += 1
        assert refused > 75

    @pytest.mark.parametrize("device", ["gpu", "", 7.5, None, "cuda:99"])
    def test_devices(self, path, device):
        with pytest.raises(InputError, match="device is 'cpu', 'cuda' or the like"):
            load_generator(path, device)
