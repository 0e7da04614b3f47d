"""Peak memory and time of converting a file of the official 1024² size, in a process of its own.

    python -m benchmarks.convert_memory

The file has the official format and size (G, D and Gs of the paper's configuration F, some 300 MB) and drawn weights.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import stylegan
from tests import official_pickles


def write_pickle(path: Path) -> None:
    """(G, D, Gs) at 1024²."""
    D = stylegan.Discriminator(stylegan.DiscriminatorConfig(), seed=0)
    G = stylegan.Generator(stylegan.GeneratorConfig(), seed=0)
    networks = [official_pickles.generator_pickle(G), official_pickles.discriminator_pickle(D)]
    networks.append(official_pickles.generator_pickle(stylegan.Generator(stylegan.GeneratorConfig(), seed=1)))
    path.write_bytes(official_pickles.dumps(tuple(networks)))


def convert(source: str, destination: str) -> None:
    """What is measured; torch's import counts."""
    start = time.perf_counter()
    report = stylegan.convert(source, destination)
    seconds = time.perf_counter() - start
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(*report.found, sep="\n")
    print(f"peak memory {peak_mib:.0f} MiB, {seconds:.1f} s")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "official.pkl")
        write_pickle(source)
        print(f"{source.stat().st_size / 1e6:.0f} MB")
        command = [sys.executable, "-m", "benchmarks.convert_memory", str(source), str(Path(folder, "g.safetensors"))]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    convert(*sys.argv[1:]) if len(sys.argv) == 3 else main()
