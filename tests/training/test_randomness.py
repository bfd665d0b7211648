"""What is hidden at random: as much as was asked for, independently, and the same again from the same state."""

import pytest
import torch

from polytag.training.randomness import dropout


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.5, 0.9])
def test_dropout_hides_its_share_and_scales_up_the_rest(rate: float) -> None:
    x = torch.full((400, 501), 3.0)
    found = dropout(x, rate, torch.Generator().manual_seed(3))
    hidden = found == 0
    assert float(hidden.double().mean()) == pytest.approx(rate, abs=4 * (rate * (1 - rate) / x.numel()) ** 0.5)
    torch.testing.assert_close(found[~hidden], x[~hidden] / (1 - rate))
    flat = hidden.flatten().double()
    for apart in (1, 2, 3, 4, 501):
        pairs = torch.stack((flat[:-apart], flat[apart:]))
        assert abs(float(torch.corrcoef(pairs)[0, 1])) < 4 / x.numel() ** 0.5


@pytest.mark.parametrize("shape", [(0, 4), (1, 1), (3, 1), (7, 3)])
def test_dropout_takes_any_shape_and_repeats(shape: tuple[int, int]) -> None:
    x = torch.ones(shape)
    first, again = (dropout(x, 0.5, torch.Generator().manual_seed(5)) for _ in range(2))
    assert first.shape == x.shape
    assert torch.equal(first, again)


def test_dropout_of_nearly_all_hides_nearly_all() -> None:
    found = dropout(torch.ones(1000), 1 - 1e-9, torch.Generator().manual_seed(1))
    assert int((found != 0).sum()) < 10


def test_gradients_are_of_what_was_kept() -> None:
    x = torch.randn(20, 10, generator=torch.Generator().manual_seed(1), requires_grad=True)
    found = dropout(x, 0.4, torch.Generator().manual_seed(2))
    found.sum().backward()
    torch.testing.assert_close(x.grad, (found != 0) / 0.6)
    assert dropout(x, 0.4, None) is x
    assert dropout(x, 0.0, torch.Generator()) is x
