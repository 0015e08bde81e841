"""The decision log: records, their chain, its files, the seal, and what an auditor reads.

Writing starts at `log.DecisionLog`; reading at `verify.verify`, `anchors.head`, `seal.init_seal`
and `reading.records`. Nothing is imported here, so that a guarded program loads no verifier.
"""
