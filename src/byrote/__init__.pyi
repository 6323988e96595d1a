"""The public names: each is written here once, and imported when it is first used."""

from . import data as data
from . import errors as errors
from . import exposure as exposure
from . import figures as figures
from . import hf as hf
from . import memorization as memorization
from . import models as models
from . import neighbors as neighbors
from . import plans as plans
from . import privacy as privacy
from .attacks.extraction import Extraction as Extraction
from .attacks.extraction import extract as extract
from .data import Corpus as Corpus
from .data import Records as Records
from .data import load as load
from .data import load_corpus as load_corpus
from .data.canaries import Canary as Canary
from .errors import ByroteError as ByroteError
from .errors import CorruptFile as CorruptFile
from .errors import IncompleteRun as IncompleteRun
from .errors import InvalidInput as InvalidInput
from .errors import RunMismatch as RunMismatch
from .plans import KFold as KFold
from .plans import LeaveOneOut as LeaveOneOut
from .plans import Membership as Membership
from .plans import Probes as Probes
from .plans import Subset as Subset
from .scores.compare.compare import compare as compare
from .scores.compare.comparison import Comparison as Comparison
from .scores.exposure.expose import expose as expose
from .scores.exposure.exposure import Exposure as Exposure
from .scores.exposure.exposure_result import ExposureResult as ExposureResult
from .scores.exposure.score_exposure import score_exposure as score_exposure
from .scores.gate.check import check as check
from .scores.gate.threshold import Gate as Gate
from .scores.gate.threshold import Threshold as Threshold
from .scores.memorization.memorization_result import MemorizationResult as MemorizationResult
from .scores.memorization.pruning import Pruned as Pruned
from .scores.memorization.pruning import prune as prune
from .scores.memorization.score_memorization import score_memorization as score_memorization
from .scores.memorization.trajectory import Trajectory as Trajectory
from .scores.privacy.evidence import PrivacyEvidence as PrivacyEvidence
from .scores.run import Run as Run
from .scores.run import open_run as open_run

__version__: str
