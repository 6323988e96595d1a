"""A diffusion model as one would write it first: the plain version that byrote's is a ratio to.

The U-Net of the same size with group norm, a DataLoader, float32, Adam as it comes; log p by I-MMSE
with a loop over levels of noise.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset


class Images(Dataset):
    """Images on [-1, 1], scaled one at a time."""

    def __init__(self, images: Tensor) -> None:
        self.images = images  # (n, 28, 28) uint8

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        return self.images[index][None].float() / 255 * 2 - 1


class Block(nn.Module):
    def __init__(self, maps: int, following: int, conditions: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(8, maps), nn.GroupNorm(8, following)
        self.conv1 = nn.Conv2d(maps, following, 3, padding=1)
        self.conv2 = nn.Conv2d(following, following, 3, padding=1)
        self.shift = nn.Linear(conditions, following)
        self.skip = nn.Conv2d(maps, following, 1) if maps != following else nn.Identity()

    def forward(self, x: Tensor, conditions: Tensor) -> Tensor:
        h = self.conv1(functional.silu(self.norm1(x))) + self.shift(conditions)[:, :, None, None]
        return self.skip(x) + self.conv2(functional.silu(self.norm2(h)))


class PlainUNet(nn.Module):
    def __init__(self, features: int = 32) -> None:
        super().__init__()
        f, c = features, 4 * features
        self.embed = nn.Sequential(nn.Linear(16, c), nn.SiLU())
        self.first = nn.Conv2d(4, f, 3, padding=1)
        self.before = Block(f, f, c)
        self.down = nn.Conv2d(f, 2 * f, 3, stride=2, padding=1)
        self.middle1, self.middle2 = Block(2 * f, 2 * f, c), Block(2 * f, 2 * f, c)
        self.up = nn.Conv2d(2 * f, f, 3, padding=1)
        self.after = Block(2 * f, f, c)
        self.norm = nn.GroupNorm(8, f)
        self.last = nn.Conv2d(f, 4, 3, padding=1)

    def forward(self, z: Tensor, sigma: Tensor) -> Tensor:
        """Denoise images, (n, 1, 28, 28), by the preconditioning of Karras et al. (2022)."""
        s, sigma = 0.5, sigma.view(-1, 1, 1, 1)
        r2 = sigma**2 + s**2
        angles = torch.log(sigma).view(-1, 1) / 4 * math.pi * torch.arange(16)
        e = self.embed(torch.cos(angles))
        h = self.first(functional.pixel_unshuffle(z / r2.sqrt(), 2))
        h = fine = self.before(h, e)
        h = self.middle2(self.middle1(self.down(h), e), e)
        h = self.up(functional.interpolate(h, scale_factor=2.0))
        h = self.after(torch.cat([fine, h], dim=1), e)
        predicted = functional.pixel_shuffle(self.last(functional.silu(self.norm(h))), 2)
        return s**2 / r2 * z + sigma * s / r2.sqrt() * predicted


def train_epoch(model: PlainUNet, loader: DataLoader, optimizer: torch.optim.Optimizer) -> float:
    total = 0.0
    for x in loader:
        sigma = torch.exp(torch.randn(len(x)) * 1.2 - 1.2)
        weight = (sigma**2 + 0.25) / (sigma * 0.5) ** 2
        noisy = x + sigma.view(-1, 1, 1, 1) * torch.randn_like(x)
        squared = (model(noisy, sigma) - x).square().mean(dim=(1, 2, 3))
        loss = (weight * squared).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


@torch.no_grad()
def log_prob(model: PlainUNet, loader: DataLoader, levels: int, draws: int) -> Tensor:
    sigmas = torch.logspace(math.log10(0.02), math.log10(80), levels)
    found = []
    for x in loader:
        errors = torch.zeros(levels, len(x))
        for place, sigma in enumerate(sigmas):
            for _ in range(draws):
                noisy = x + sigma * torch.randn_like(x)
                error = (model(noisy, sigma.expand(len(x))) - x).square().sum(dim=(1, 2, 3))
                errors[place] += error / sigma**2 / draws
        integral = torch.trapezoid(errors, torch.log(sigmas), dim=0) + errors[-1] / 2
        d = x[0].numel()
        found.append(-d / 2 * math.log(2 * math.pi * math.e * 0.02**2) - integral)
    return torch.cat(found)


def loader(images: Tensor, *, shuffle: bool = True) -> DataLoader:
    return DataLoader(Images(images), batch_size=64, shuffle=shuffle)
