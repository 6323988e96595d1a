"""Does a run stay within bars that were set beforehand? For pipelines and for those who sign."""

from byrote.scores.gate.bar import Bar as Bar
from byrote.scores.gate.checking import check as check
from byrote.scores.gate.gate import Gate as Gate
