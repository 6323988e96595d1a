"""Nearest-neighbour tests of generated samples, and near-duplicates of training records."""

from byrote.scores.neighbors.authenticity import Authenticity, authenticity
from byrote.scores.neighbors.compare_neighbors import compare_neighbors
from byrote.scores.neighbors.copying_test import CopyingTest, copying_test
from byrote.scores.neighbors.distance_ratio import distance_ratio
from byrote.scores.neighbors.near_duplicates import NearDuplicates, near_duplicates
from byrote.scores.neighbors.neighbor_result import NeighborResult

__all__ = [
    "Authenticity",
    "CopyingTest",
    "NearDuplicates",
    "NeighborResult",
    "authenticity",
    "compare_neighbors",
    "copying_test",
    "distance_ratio",
    "near_duplicates",
]
