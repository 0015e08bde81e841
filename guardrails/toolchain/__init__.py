"""What people and CI use around the engine: judging texts, explaining decisions."""
