"""What guards share: who is stopped, and what happened in sessions, kept beside the approvals."""
