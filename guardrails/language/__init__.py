"""Policy text to frozen, checked documents."""
