"""A linear CRF on hand features of words, beside the network: the two are trained each for itself, their scores added.

Neither sees what the other says, so what one gets wrong the other need not.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from polytag.model.shapes import PLACES
from polytag.training.batch import Batch
from polytag.vocabulary.features import EDGE, NONE, OWN, REACH, FeatureVocabulary


class FeatureCrf(nn.Module):
    """Weights of features, transitions and START scores; all are 0 at the start: its loss is convex."""

    def __init__(self, vocabulary: FeatureVocabulary, tags: int, *, moves: bool = True) -> None:
        """``moves``: whether transitions and START scores are trained; else they stay 0."""
        super().__init__()
        own, around = vocabulary.sizes
        self.own, self.around = _weights(own, tags), _weights(around, PLACES * tags)
        self.transitions = nn.Parameter(torch.zeros(tags, tags), requires_grad=moves)
        self.start = nn.Parameter(torch.zeros(tags), requires_grad=moves)

    def scores(self, features: Tensor) -> Tensor:
        """Features [U, F] of distinct words -> what each adds to the scores of tags, [U, 1 + PLACES, K].

        First where it stands itself, then where it is the word two before, and so on to where it is the word two after.
        """
        own, around = self.own(features[:, :OWN]), self.around(features[:, OWN:])
        return torch.cat((own, around), dim=1).view(len(features), 1 + PLACES, -1)

    def emissions(self, batch: Batch, part: str) -> Tensor:
        """Scores of each tag at each word of a batch, [N, K]; ``part`` is the tag part that this belongs to."""
        scores = self.scores(batch.features[part])
        assert batch.forms is not None
        words, edge = len(batch.forms), self.around(torch.tensor([[EDGE]], device=batch.forms.device))
        at_words = scores.index_select(0, batch.forms).flatten(1)
        rows = torch.cat((at_words, F.pad(edge, (scores.shape[2], 0)))).view((words + 1) * (1 + PLACES), -1)
        of_neighbours = batch.packing.rows_around(REACH) * (1 + PLACES) + torch.arange(
            1, 1 + PLACES, device=rows.device
        )
        of_words = torch.arange(words, device=rows.device)[:, None] * (1 + PLACES)
        return F.embedding_bag(torch.cat((of_words, of_neighbours), dim=1), rows, mode="sum")


def _weights(features: int, columns: int) -> nn.EmbeddingBag:
    """Sums rows of weights; sparse: a step moves only the rows of its own features."""
    zeros = torch.zeros(features, columns)  # and nothing is drawn: the network's weights are as they are without
    return nn.EmbeddingBag.from_pretrained(zeros, freeze=False, mode="sum", padding_idx=NONE, sparse=True)
