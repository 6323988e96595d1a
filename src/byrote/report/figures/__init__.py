"""One file for each figure; registry.py explains how a new one is added."""
