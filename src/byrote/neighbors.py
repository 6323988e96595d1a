"""Nearest-neighbour tests of samples and synthetic tables; near-duplicates of training records."""

from byrote.scores.neighbors.authenticity import Authenticity, authenticity
from byrote.scores.neighbors.compare_neighbors import compare_neighbors
from byrote.scores.neighbors.compare_synthetic import compare_synthetic
from byrote.scores.neighbors.copying_test import CopyingTest, copying_test
from byrote.scores.neighbors.distance_ratio import distance_ratio
from byrote.scores.neighbors.extracted_records import (
    ExtractedRecords,
    extracted_records,
    memorization_ratio,
)
from byrote.scores.neighbors.near_duplicates import NearDuplicates, near_duplicates
from byrote.scores.neighbors.neighbor_result import NeighborResult
from byrote.scores.neighbors.synthetic_result import SyntheticResult
from byrote.scores.neighbors.text_duplicates import cluster_texts, near_duplicate_texts

__all__ = [
    "Authenticity",
    "CopyingTest",
    "ExtractedRecords",
    "NearDuplicates",
    "NeighborResult",
    "SyntheticResult",
    "authenticity",
    "cluster_texts",
    "compare_neighbors",
    "compare_synthetic",
    "copying_test",
    "distance_ratio",
    "extracted_records",
    "memorization_ratio",
    "near_duplicate_texts",
    "near_duplicates",
]
