"""`python -m stylegan info FILE`: what a model file, an official pickle or a port's state dict holds."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from stylegan.model_file import Network


def info(
    file: Annotated[Path, typer.Argument(help="A model file, or anything that `convert` reads.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Say what a file of weights holds."""
    document = described(file)
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False) if as_json else _text(document))


def described(file: Path) -> dict[str, Any]:
    """Plain values: the file, what was found in it, and each network; errors as `stylegan.load`."""
    from stylegan import model_file
    from stylegan.convert import reader

    networks: list[Network]
    if reader.is_model_file(file):
        kind = model_file.read_header(file).kind
        is_generator = kind == "generator"
        networks = [model_file.load_generator(file) if is_generator else model_file.load_discriminator(file)]
        found = [f"A model file of this project, with a {kind}."]
    else:
        foreign = reader.read(file)
        networks = [source.build() for source in foreign.sources]
        found = list(foreign.sentences)
    return {"file": str(file), "found": found, "networks": [_network(network) for network in networks]}


def _network(network: "Network") -> dict[str, Any]:
    from dataclasses import asdict

    from stylegan.config import GeneratorConfig

    config = network.config
    return {
        "kind": "generator" if isinstance(config, GeneratorConfig) else "discriminator",
        "digest": network.digest,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "lod": network.lod,
        "config": config.to_json(),
        "about": asdict(network.about),
        "layers": _generator_layers(config) if isinstance(config, GeneratorConfig) else _discriminator_layers(config),
    }


def _generator_layers(config: Any) -> list[dict[str, Any]]:
    return [
        {"layer": i, "resolution": config.layer_resolution(i), "channels": config.layer_fmaps(i)}
        for i in range(config.num_layers)
    ]


def _discriminator_layers(config: Any) -> list[dict[str, Any]]:
    """Two convolutions at each resolution, from the finest; the channels are those that come out."""
    layers: list[dict[str, Any]] = []
    for log2_size in range(config.log2_resolution, 1, -1):
        for stage in (log2_size - 1, max(log2_size - 2, 1)):
            layers.append({"layer": len(layers), "resolution": 2**log2_size, "channels": config.fmaps(stage)})
    return layers[:-1]  # at 4×4 there is one


def _text(document: dict[str, Any]) -> str:
    lines = [document["file"], *document["found"]]
    for network in document["networks"]:
        lines += ["", network["kind"].capitalize()]
        about = {key: value for key, value in network["about"].items() if value}
        facts = {"digest": network["digest"], "parameters": f"{network['parameters']:,}", "lod": network["lod"]}
        for key, value in {**facts, **about, **network["config"]}.items():
            lines.append(f"  {key:22} {json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value}")
        lines.append(f"  {'layer':>7} {'resolution':>12} {'channels':>9}")
        for layer in network["layers"]:
            size = f"{layer['resolution']}×{layer['resolution']}"
            lines.append(f"  {layer['layer']:7} {size:>12} {layer['channels']:9}")
    return "\n".join(lines)
