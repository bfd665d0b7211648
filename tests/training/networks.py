"""A network and what runs it: the same weights on both sides, the same sentences."""

from collections.abc import Sequence

import numpy as np

from polytag.corpus.sentence import Sentence
from polytag.model import Model
from polytag.plan import Plan
from polytag.tagger.packing import Ints
from polytag.tagger.tagging import Tagger
from polytag.training import Prepared
from polytag.training.batch import Batch
from polytag.training.encoder import Encoder, gazetteer_columns
from polytag.training.network import Network
from polytag.training.torch_network import arrays_of, tensors_of
from polytag.vocabulary.vocabularies import Vocabularies


def network_of(model: Model) -> Network:
    """A network with the weights of a model."""
    network = Network(model.plan, model.vocabularies)
    network.load_state_dict(tensors_of(model.arrays))
    return network.eval()


def tagger_of(found: Prepared) -> Tagger:
    """What tags with the weights of a network as they are."""
    return Tagger(Model(found.plan, found.vocabularies, arrays_of(found.network.state_dict())))


def batch_of(
    plan: Plan, vocabularies: Vocabularies, sentences: Sequence[Sentence], task: str, *, tags: Sequence[Ints] = ()
) -> Batch:
    """Sentences as training has them; tags are those given, or those that the sentences carry."""
    encoder, part = Encoder.of(plan, vocabularies, task), plan.tasks[task].tags
    vocabulary = vocabularies.tags[part]
    gold = tags or [np.array(vocabulary.encode(s.tags[task]), np.int64) for s in sentences if task in s.tags]
    columns = [gazetteer_columns(vocabulary, s.words) for s in sentences if vocabulary.gazetteer]
    return encoder.batch(
        [encoder.forms(s.words) for s in sentences],
        tags=gold or None,
        gazetteer={part: columns} if columns else None,
        features=[part] if vocabulary.features else [],
    )
