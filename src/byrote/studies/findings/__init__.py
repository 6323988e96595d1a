"""Findings of studies: functions from finished runs to tables, sentences and figures."""
