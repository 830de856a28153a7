"""What runs methods on cases, each in a process of its own, and what that cost."""
