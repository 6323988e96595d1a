"""byrote: which training records did a generative model learn by rote, and how sure can one be?

Names load when they are first used, so that ``import byrote`` is quick.
"""

import lazy_loader

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
