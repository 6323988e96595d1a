"""A recurrent character model: long short-term memory."""

from byrote.models.language.char_lstm.char_lstm import CharLSTM

__all__ = ["CharLSTM"]
