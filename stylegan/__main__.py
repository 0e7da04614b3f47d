"""`python -m stylegan …`: the command line (stylegan.cli.app)."""

from stylegan.cli.app import app

if __name__ == "__main__":
    app(prog_name="python -m stylegan")
