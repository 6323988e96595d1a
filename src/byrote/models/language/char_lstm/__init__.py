"""A recurrent model of characters: long short-term memory."""

from byrote.models.language.char_lstm.estimator import CharLSTM
from byrote.models.language.char_lstm.size import ModelSize

__all__ = ["CharLSTM", "ModelSize"]
