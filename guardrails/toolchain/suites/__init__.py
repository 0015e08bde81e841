"""Tests of policies: suites beside the documents, read, run, measured and tried on mutants."""
