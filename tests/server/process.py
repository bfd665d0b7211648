"""A server of a tiny tagger in a process of its own: python -m tests.server.process '{"body": 1000}'."""

import json
import sys

from polytag.server import Limits, create_app, serve
from polytag.server.process import bind
from polytag.tagger.tagging import Tagger
from tests import tiny


def tagger() -> Tagger:
    """Two languages; the same weights in every process."""
    return tiny.tagger({"en-ner": "iob2", "en-pos": "plain", "es-ner": "iob2"}, languages={"es-ner": "es"})


def main() -> None:
    limits = Limits(**json.loads(sys.argv[1]))
    with bind("127.0.0.1", 0) as at:
        app = create_app(tagger(), limits, name="tiny")
        serve(app, at=at, limits=limits, ready=lambda: print(at.getsockname()[1], flush=True))


if __name__ == "__main__":
    main()
