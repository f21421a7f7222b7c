"""`python app.py` is `lingxue serve`: the web app, on http://127.0.0.1:7860 unless set otherwise."""

import sys

from rag.cli import main

if __name__ == "__main__":
    sys.exit(main(["serve", *sys.argv[1:]]))
