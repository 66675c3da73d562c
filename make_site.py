"""Explore as a folder of static files: ``python make_site.py FOLDER``."""

import argparse
import logging
from pathlib import Path

from hybridpool.ui.explore.site import build_site

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path("build", "site"))
    folder = parser.parse_args().folder
    # Streamlit warns of every word that is asked for outside of a session.
    logging.disable(logging.WARNING)
    build_site(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size / 2**20:.0f} MB. Open {folder / 'index.html'}, or publish the folder.")
