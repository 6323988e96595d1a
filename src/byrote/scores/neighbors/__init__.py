"""What nearest-neighbour tests would have said of the same model."""

from byrote.scores.neighbors.authentic import Authenticity as Authenticity
from byrote.scores.neighbors.authentic import authenticity as authenticity
from byrote.scores.neighbors.comparison import compare_neighbors as compare_neighbors
from byrote.scores.neighbors.copying import CopyingTest as CopyingTest
from byrote.scores.neighbors.copying import copying_test as copying_test
from byrote.scores.neighbors.near import near_duplicates as near_duplicates
from byrote.scores.neighbors.near_result import NearDuplicates as NearDuplicates
from byrote.scores.neighbors.ratio import distance_ratio as distance_ratio
from byrote.scores.neighbors.result import NeighborResult as NeighborResult
