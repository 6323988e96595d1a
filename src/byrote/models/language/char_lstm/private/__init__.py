r"""Private training: every window of the text is a record, and its gradient is clipped.

Examples
--------
>>> from byrote.models import DP, CharLSTM
>>> dp = DP(noise_multiplier=1.0, delta=1e-3)
>>> model = CharLSTM(hidden=16, layers=1, epochs=2, batch_size=16, window=10, dp=dp)
>>> model = model.fit(["the random number is 281265017\n"] * 20)
>>> promise = model.facts_["privacy"]
>>> promise["unit"], round(promise["epsilon"], 1)
('window of 10 characters', 4.2)
"""
