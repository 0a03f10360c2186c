"""Adam takes the steps of PyTorch's own."""

import pytest
import torch

from engine.adam import Adam


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_steps_are_those_of_pytorch(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    begun = [torch.randn(3, 4, dtype=dtype), torch.randn(5, dtype=dtype), torch.randn(2, dtype=dtype)]
    ours, theirs = ([each.clone().requires_grad_() for each in begun] for _ in range(2))
    own, plain = Adam(ours, 0.1, 1e-7), torch.optim.Adam(theirs, lr=0.1, eps=1e-7)
    for step in range(20):
        own.rate = plain.param_groups[0]["lr"] = 0.1 / (1 + step)
        for learned, optimiser in ((ours, own), (theirs, plain)):
            optimiser.zero_grad()
            (learned[0].exp().sum() + learned[1].square().sum()).backward()  # the last has no gradient
            optimiser.step()
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=0)
    assert torch.equal(ours[2], begun[2])
    stored = plain.state_dict()["state"]
    for number in (0, 1):
        assert own.state[number].keys() == stored[number].keys()
        for key, value in own.state[number].items():
            torch.testing.assert_close(value, stored[number][key], rtol=1e-6, atol=0)
