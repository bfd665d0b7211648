"""Context -> scores of tag sequences, and their loss (paper, section 3.3).

A softmax for each word is a CRF whose transitions and START scores are 0 and stay 0: its loss without a margin is the
sum of the words' cross-entropies, its best sequence has the best tag of each, and a tag's marginal is its softmax.
"""

from functools import partial

import torch
from torch import Tensor, nn

from polytag.plan.parts import Tags
from polytag.training import ops
from polytag.training.batch import Batch
from polytag.training.feature_crf import FeatureCrf
from polytag.training.randomness import dropout, fresh_weights
from polytag.vocabulary.vocabularies import TagVocabulary


class Crf(nn.Module):
    """Emission projection, optional gazetteer input, transitions and START scores of one tag part."""

    def __init__(self, settings: Tags, vocabulary: TagVocabulary, width: int, generator: torch.Generator) -> None:
        super().__init__()
        tags = len(vocabulary)
        fresh = partial(fresh_weights, generator=generator)
        self.dropout, self.gazetteer_dropout = settings.dropout, settings.gazetteer_dropout
        self.is_softmax = settings.output == "softmax"
        self.projection = nn.Parameter(fresh(width, tags))
        transitions, start = fresh(tags, tags), fresh(1, tags)[0]  # drawn in any case: all else is as without a softmax
        if self.is_softmax:
            transitions, start = torch.zeros_like(transitions), torch.zeros_like(start)
        self.transitions = nn.Parameter(transitions, requires_grad=not self.is_softmax)
        self.start = nn.Parameter(start, requires_grad=not self.is_softmax)
        columns = len(vocabulary.gazetteer.tags) if vocabulary.gazetteer else 0
        self.gazetteer = nn.Parameter(fresh(columns, tags)) if columns else None
        features = vocabulary.features
        self.features = FeatureCrf(features, tags, moves=not self.is_softmax) if features else None

    def emissions(self, context: Tensor, gazetteer: Tensor | None, generator: torch.Generator | None = None) -> Tensor:
        """Context [N, H] and the gazetteer's column of each word [N] -> scores [N, K]; ``generator`` draws dropout."""
        scores = dropout(context, self.dropout, generator) @ self.projection
        if self.gazetteer is None or gazetteer is None:
            return scores
        if generator is not None and self.gazetteer_dropout:
            drawn = torch.rand(gazetteer.shape, device=gazetteer.device, generator=generator)
            hidden = drawn < self.gazetteer_dropout
            gazetteer = gazetteer.masked_fill(hidden, 0)  # the column of words that no entry matches
        return scores + self.gazetteer[gazetteer]  # a one-hot input times its weights is one row of them

    def loss(self, emissions: Tensor, batch: Batch, part: str, *, margin: float) -> Tensor:
        """Softmax-margin loss of each sentence, [B], in packed order (paper, equation 2).

        That of a softmax has no margin. Where there are features, that of their own CRF is added: it moves nothing but
        the features' weights.
        ``part`` is the name of this tag part.
        """
        margin = 0.0 if self.is_softmax else margin
        loss = _loss(emissions, self.transitions, self.start, batch, margin)
        if self.features is None:
            return loss
        of_features = self.features.emissions(batch, part)
        return loss + _loss(of_features, self.features.transitions, self.features.start, batch, margin)


def _loss(emissions: Tensor, transitions: Tensor, start: Tensor, batch: Batch, margin: float) -> Tensor:
    """Of each sentence, [B]; where tags are unknown, a sum over all that they may be."""
    scores = (transitions, start, batch.packing.batch_sizes)
    if batch.allowed is not None:
        return ops.crf.partial_softmax_margin(emissions, batch.allowed, *scores, margin=margin)
    assert batch.tags is not None
    return ops.crf.softmax_margin(emissions, batch.tags, *scores, margin=margin)
