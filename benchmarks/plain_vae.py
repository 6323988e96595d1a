"""The paper's VAE as one would write it first: the plain version that byrote's speed is a ratio to.

A DataLoader with per-image transforms, float32, Adam as it comes, a sigmoid and cross-entropy,
log p(x) by repeating each input N times.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset


class Binarized(Dataset):
    """Images that are padded, scaled and made binary one at a time."""

    def __init__(self, images: Tensor) -> None:
        self.images = images  # (n, 28, 28) uint8

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        image = functional.pad(self.images[index].float() / 255, (2, 2, 2, 2))
        return torch.bernoulli(image).reshape(-1)


class PlainVAE(nn.Module):
    def __init__(self, features: int = 1024, latent: int = 16) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(features, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU()
        )
        self.mean, self.log_variance = nn.Linear(256, latent), nn.Linear(256, latent)
        self.decoder = nn.Sequential(
            *(nn.Linear(latent, 256), nn.ReLU(), nn.Linear(256, 512), nn.ReLU()),
            *(nn.Linear(512, features), nn.Sigmoid()),
        )

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.encoder(x)
        return self.mean(hidden), self.log_variance(hidden)

    def loss(self, x: Tensor) -> Tensor:
        mean, log_variance = self.encode(x)
        z = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
        reconstruction = functional.binary_cross_entropy(self.decoder(z), x, reduction="sum")
        divergence = 0.5 * (torch.exp(log_variance) + mean**2 - 1 - log_variance).sum()
        return (reconstruction + divergence) / len(x)


def train_epoch(model: PlainVAE, loader: DataLoader, optimizer: torch.optim.Optimizer) -> float:
    total = 0.0
    for x in loader:
        optimizer.zero_grad()
        loss = model.loss(x)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


@torch.no_grad()
def log_prob(model: PlainVAE, loader: DataLoader, draws: int) -> Tensor:
    found = []
    for x in loader:
        repeated = x.repeat_interleave(draws, dim=0)
        mean, log_variance = model.encode(repeated)
        z = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
        found_x = model.decoder(z)
        cross_entropy = functional.binary_cross_entropy(found_x, repeated, reduction="none")
        posterior = torch.distributions.Normal(mean, torch.exp(log_variance / 2))
        prior = torch.distributions.Normal(0.0, 1.0)
        weight = -cross_entropy.sum(1) + (prior.log_prob(z) - posterior.log_prob(z)).sum(1)
        found.append(torch.logsumexp(weight.view(-1, draws), dim=1) - math.log(draws))
    return torch.cat(found)


def loader(images: Tensor, *, shuffle: bool = True) -> DataLoader:
    return DataLoader(Binarized(images), batch_size=64, shuffle=shuffle)
