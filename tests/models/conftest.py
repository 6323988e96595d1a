from functools import cache, partial

import pytest
import torch

from byrote.models import arithmetic
from byrote.models.vae import bernoulli_decoder, scoring, steps


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Networks this small lose far more to threads that wait than they gain."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def captured(monkeypatch):
    """Functions are captured, differentiated and taken apart as for a compiler, whose kernels, of
    seconds each, ``test_vae_arithmetic`` awaits; here PyTorch's own make the same steps.
    """
    backend = partial(torch.compile, backend="aot_eager_decomp_partition")
    monkeypatch.setattr(torch, "compile", backend)
    anew = cache(arithmetic.compiled.__wrapped__)  # not those of real kernels
    for module in (bernoulli_decoder, scoring, steps):
        monkeypatch.setattr(module, "compiled", anew)
    monkeypatch.setattr(arithmetic, "can_compile", lambda device: True)
